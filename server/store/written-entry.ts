import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { IndexDb } from './database.ts'
import type { SomeEntry } from './entry.ts'

/** An entry with what it takes of its thread. */
export interface WrittenEntry extends SomeEntry {
  /** An account; null where nothing tells. */
  readonly writer: string | null
  readonly publishedAt: number
  readonly bytes: number
}

const LISTED_AT_ONCE = 500

/** Entries of a node with who wrote them, the oldest first: all, or those that nobody is shown. In slices. */
export async function listWritten(
  index: IndexDb,
  nodeId: number,
  { isHeld }: { readonly isHeld: boolean },
): Promise<WrittenEntry[]> {
  const pause = createSlices()
  const found: WrittenEntry[] = []
  for (let rows: WrittenEntry[] | undefined; rows === undefined || rows.length === LISTED_AT_ONCE; ) {
    const last = found.at(-1)
    const query = index
      .selectFrom('entry')
      .select(['id', 'item', 'publishedAt', 'commentsService', 'commentsNode'])
      .select([
        sql<string | null>`coalesce(contributor, publisher, author)`.as('writer'),
        sql<number>`octet_length(payload)`.as('bytes'),
      ])
      .where('nodeId', '=', nodeId)
    const wanted = isHeld ? query.where('hold', 'is not', null) : query
    const after =
      last === undefined
        ? wanted
        : wanted.where(sql<boolean>`(published_at, item) > (${last.publishedAt}, ${last.item})`)
    rows = await after.orderBy('publishedAt').orderBy('item').limit(LISTED_AT_ONCE).execute()
    found.push(...rows)
    await pause()
  }
  return found
}
