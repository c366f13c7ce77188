import type { ItemId } from '#shared/address.ts'

/** A place between two posts of a list, opaque to everybody else; it fits into an address. */
export type Cursor = string

export interface Place {
  readonly publishedAt: number
  readonly item: ItemId
  readonly nodeId: number
}

export function writeCursor({ publishedAt, item, nodeId }: Place): Cursor {
  return Buffer.from(JSON.stringify([publishedAt, item, nodeId])).toString('base64url')
}

/** Undefined for what is no cursor of ours. */
export function readCursor(cursor: string): Place | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (!Array.isArray(value)) return undefined
    const [publishedAt, item, nodeId] = value as unknown[]
    if (typeof publishedAt !== 'number' || typeof item !== 'string' || typeof nodeId !== 'number') return undefined
    return { publishedAt, item: item as ItemId, nodeId }
  } catch {
    return undefined
  }
}
