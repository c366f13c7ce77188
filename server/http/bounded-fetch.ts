import http from 'node:http'
import https from 'node:https'
import { AppError } from '#server/errors.ts'
import { type IsAllowedAddress, resolveHost } from './picture/public-address.ts'

export interface FetchLimits {
  readonly isAllowed: IsAllowedAddress
  readonly maxBytes: number
  /** For all of it, redirects too. */
  readonly timeoutMs: number
}

export interface FetchRequest {
  /** What is fetched, for the sentences of errors: "picture". */
  readonly what: string
  /** The header. */
  readonly accept: string
  /** Whether the beginning will do where there is more than fits. */
  readonly mayCut?: boolean
  /** Called once the first bytes are there; throws where the rest is not worth having. */
  readonly onHead?: (head: Buffer) => void
}

export interface Fetched {
  /** Where redirects led. */
  readonly url: URL
  readonly bytes: Buffer
}

const MOST_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const HEAD_BYTES = 128

/** Fetches a web address of a stranger's within limits. Rejects with an AppError. */
export async function fetchBounded(address: string, limits: FetchLimits, wanted: FetchRequest): Promise<Fetched> {
  const signal = AbortSignal.timeout(limits.timeoutMs)
  let url = readUrl(address, wanted)
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const answer = await request(url, { ...wanted, ...limits, signal })
    const { statusCode = 0, headers } = answer
    if (REDIRECTS.has(statusCode) && headers.location !== undefined) {
      answer.destroy()
      url = readUrl(headers.location, wanted, url)
      continue
    }
    if (statusCode !== 200) {
      answer.destroy()
      throw new AppError('not-found', `The ${wanted.what} is not there.`)
    }
    return { url, bytes: await read(answer, { ...wanted, ...limits }) }
  }
  throw new AppError('not-found', `The ${wanted.what} leads from one address to the next.`)
}

function readUrl(address: string, { what }: FetchRequest, base?: URL): URL {
  const url = URL.parse(address, base)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new AppError('bad-request', `That is no address of a ${what}.`)
  }
  return url
}

type RequestParts = FetchRequest & FetchLimits & { readonly signal: AbortSignal }

async function request(url: URL, { isAllowed, accept, what, signal }: RequestParts): Promise<http.IncomingMessage> {
  try {
    const pinned = await before(signal, resolveHost(url.hostname, isAllowed))
    return await new Promise((resolve, reject) => {
      const { get } = url.protocol === 'https:' ? https : http
      const options = {
        signal,
        agent: false,
        headers: { accept, 'accept-encoding': 'identity' },
        // The address that was checked is the one that is used: a name may change its mind in between.
        lookup: pinnedLookup(pinned),
      }
      get(url, options, resolve).on('error', reject)
    })
  } catch (cause) {
    throw cause instanceof AppError ? cause : new AppError('not-found', `The ${what} cannot be reached.`, { cause })
  }
}

/** The system's resolver takes no signal, and its own time. */
async function before<T>(signal: AbortSignal, task: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([task, late])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Only the address that was checked, whatever the name leads to by then. */
export function pinnedLookup({
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

async function read(
  answer: http.IncomingMessage,
  { what, maxBytes, mayCut = false, onHead }: FetchRequest & FetchLimits,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length
      chunks.push(chunk)
      if (length > maxBytes) {
        if (mayCut) break
        throw new AppError('too-large', `The ${what} is too large.`)
      }
      if (length >= HEAD_BYTES && length - chunk.length < HEAD_BYTES) onHead?.(Buffer.concat(chunks))
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : new AppError('not-found', `The ${what} did not arrive.`, { cause })
  } finally {
    answer.destroy()
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}
