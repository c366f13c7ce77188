import { AppError } from '#server/errors.ts'
import { type FetchLimits, fetchBounded } from '../bounded-fetch.ts'
import { sniffPicture } from './sniff.ts'

export interface Picture {
  readonly type: string
  readonly bytes: Buffer
}

const ACCEPT = 'image/avif,image/webp,image/png,image/jpeg,image/gif'

/** Fetches a remote picture within limits. Rejects with an AppError. */
export async function fetchPicture(address: string, limits: FetchLimits): Promise<Picture> {
  const { bytes } = await fetchBounded(address, limits, { what: 'picture', accept: ACCEPT, onHead: requireType })
  return { type: requireType(bytes), bytes }
}

function requireType(bytes: Buffer): string {
  const type = sniffPicture(bytes)
  if (type === undefined) throw new AppError('not-found', 'That is no picture.')
  return type
}
