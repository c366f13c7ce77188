import http from 'node:http'
import https from 'node:https'
import { AppError } from '#server/errors.ts'
import type { IsAllowedAddress } from './public-address.ts'
import { resolveHost } from './public-address.ts'
import { sniffPicture } from './sniff.ts'

export interface Picture {
  readonly type: string
  readonly bytes: Buffer
}

export interface PictureLimits {
  readonly isAllowed: IsAllowedAddress
  readonly maxBytes: number
  /** For all of it, redirects too. */
  readonly timeoutMs: number
}

const MOST_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Fetches a remote picture within limits. Rejects with an AppError. */
export async function fetchPicture(address: string, limits: PictureLimits): Promise<Picture> {
  const signal = AbortSignal.timeout(limits.timeoutMs)
  let url = readPictureUrl(address)
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const answer = await request(url, limits, signal)
    const { statusCode = 0, headers } = answer
    if (REDIRECTS.has(statusCode) && headers.location !== undefined) {
      answer.destroy()
      url = readPictureUrl(headers.location, url)
      continue
    }
    if (statusCode !== 200) {
      answer.destroy()
      throw new AppError('not-found', 'The picture is not there.')
    }
    return readPicture(answer, limits.maxBytes)
  }
  throw new AppError('not-found', 'The picture leads from one address to the next.')
}

function readPictureUrl(address: string, base?: URL): URL {
  const url = URL.parse(address, base)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new AppError('bad-request', 'That is no address of a picture.')
  }
  return url
}

async function request(url: URL, { isAllowed }: PictureLimits, signal: AbortSignal): Promise<http.IncomingMessage> {
  try {
    const pinned = await resolveHost(url.hostname, isAllowed)
    return await new Promise((resolve, reject) => {
      const { get } = url.protocol === 'https:' ? https : http
      const options = {
        signal,
        agent: false,
        headers: { accept: 'image/avif,image/webp,image/png,image/jpeg,image/gif', 'accept-encoding': 'identity' },
        // The address that was checked is the one that is used: a name may change its mind in between.
        lookup: pinnedLookup(pinned),
      }
      get(url, options, resolve).on('error', reject)
    })
  } catch (cause) {
    throw cause instanceof AppError ? cause : new AppError('not-found', 'The picture cannot be reached.', { cause })
  }
}

function pinnedLookup({
  address,
  family,
}: {
  address: string
  family: number
}): NonNullable<http.RequestOptions['lookup']> {
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}

async function readPicture(answer: http.IncomingMessage, maxBytes: number): Promise<Picture> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) throw new AppError('too-large', 'The picture is too large.')
      chunks.push(chunk)
      if (length >= 128 && length - chunk.length < 128) requireType(Buffer.concat(chunks))
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : new AppError('not-found', 'The picture did not arrive.', { cause })
  } finally {
    answer.destroy()
  }
  const bytes = Buffer.concat(chunks)
  return { type: requireType(bytes), bytes }
}

function requireType(bytes: Buffer): string {
  const type = sniffPicture(bytes)
  if (type === undefined) throw new AppError('not-found', 'That is no picture.')
  return type
}
