import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { addAbortSignal } from 'node:stream'
import { AppError } from '#server/errors.ts'
import { lookUpInDns } from '#server/look-up.ts'
import { networkOf, zoneOf } from '#server/people/throttle.ts'
import type { Asked, FetchPlaces } from './fetch-places.ts'
import { type FetchWatch, type Pace, watchFetch } from './fetch-watch.ts'
import { type IsAllowedAddress, resolveHost } from './picture/public-address.ts'

export interface FetchLimits {
  readonly isAllowed: IsAllowedAddress
  readonly maxBytes: number
  /** For all of it, redirects too, but not while it waits for a place. */
  readonly timeoutMs: number
  readonly pace?: Pace
  /** Without them it starts at once. */
  readonly places?: FetchPlaces
  /** The networks of the readers who wait for it; more may join. */
  readonly readers?: ReadonlySet<string>
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
const PACE: Pace = { firstByteMs: 4_000, bytesPerSecond: 8_192 }
const atOnce: FetchPlaces = {
  lookUp: (_asked, work) => work(),
  ask: (_asked, work) => work(),
  read: (_asked, work) => work(),
  onJoined: () => {},
}
const OURS: ReadonlySet<string> = new Set(['ours'])

/** Fetches a web address of a stranger's within limits. Rejects with an AppError. */
export async function fetchBounded(address: string, limits: FetchLimits, wanted: FetchRequest): Promise<Fetched> {
  let url = readUrl(address, wanted)
  let leftMs = limits.timeoutMs
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const { found, tookMs } = await fetchHop(url, { ...wanted, ...limits, leftMs })
    if (Buffer.isBuffer(found)) return { url, bytes: found }
    url = found
    leftMs -= tookMs
  }
  throw new AppError('not-found', `The ${wanted.what} leads from one address to the next.`)
}

type HopParts = FetchRequest & FetchLimits & { readonly leftMs: number }

/** Asks one server: for the bytes, or where else they are. The time in which it waits for a place does not count. */
async function fetchHop(url: URL, parts: HopParts): Promise<{ found: Buffer | URL; tookMs: number }> {
  const { pace = PACE, places = atOnce, readers = OURS, leftMs } = parts
  let tookMs = 0
  const timed = <T>(work: () => Promise<T>) => {
    const began = performance.now()
    return work().finally(() => {
      tookMs += performance.now() - began
    })
  }
  const host = { host: url.host, zone: zoneOf(url.hostname), network: undefined, readers }
  const firstByteMs = Math.max(0, Math.min(pace.firstByteMs, leftMs))
  const pinned = await places.lookUp(host, () => timed(() => resolve(url, { ...parts, withinMs: firstByteMs })))
  // A host whose name is found slowly has less time to answer.
  const left: Pace = { ...pace, firstByteMs: Math.max(0, firstByteMs - tookMs) }
  const asked: Asked = { ...host, network: networkOf(pinned[0].address) }
  const answer = await places.ask(asked, () => timed(() => askServer(url, { ...parts, pace: left, pinned })))
  try {
    const moved = readRedirect(answer, url, parts)
    if (moved !== undefined) return { found: moved, tookMs }
    const bytes = await places.read(asked, () =>
      timed(async () => {
        const watch = watchFetch(pace, leftMs - tookMs)
        addAbortSignal(watch.signal, answer)
        try {
          return await read(answer, { ...parts, watch })
        } finally {
          watch.stop()
        }
      }),
    )
    return { found: bytes, tookMs }
  } finally {
    answer.destroy()
  }
}

type AskParts = HopParts & { readonly pace: Pace; readonly pinned: Addresses }

/** Waits until the first bytes of the body are there, or its end. */
async function askServer(url: URL, parts: AskParts): Promise<http.IncomingMessage> {
  const watch = watchFetch(parts.pace, parts.leftMs)
  try {
    const answer = await request(url, { ...parts, signal: watch.signal })
    // It may break while it waits to be read: the reading then fails.
    answer.on('error', () => {})
    if (answer.statusCode === 200) await waitForBytes(answer, parts, watch.signal)
    return answer
  } finally {
    watch.stop()
  }
}

async function waitForBytes(answer: http.IncomingMessage, { what }: FetchRequest, signal: AbortSignal): Promise<void> {
  try {
    await once(answer, 'readable', { signal })
  } catch (cause) {
    answer.destroy()
    throw new AppError('not-found', `The ${what} did not arrive.`, { cause })
  }
}

function readRedirect(answer: http.IncomingMessage, url: URL, wanted: FetchRequest): URL | undefined {
  const { statusCode = 0, headers } = answer
  if (statusCode === 200) return undefined
  if (REDIRECTS.has(statusCode) && headers.location !== undefined) return readUrl(headers.location, wanted, url)
  throw new AppError('not-found', `The ${wanted.what} is not there.`)
}

function readUrl(address: string, { what }: FetchRequest, base?: URL): URL {
  const url = URL.parse(address, base)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new AppError('bad-request', `That is no address of a ${what}.`)
  }
  return url
}

type Addresses = Awaited<ReturnType<typeof resolveHost>>

async function resolve(url: URL, { isAllowed, what, withinMs }: HopParts & { withinMs: number }): Promise<Addresses> {
  const tooLate = once(AbortSignal.timeout(Math.ceil(withinMs)), 'abort').then(() => {
    throw new Error('Its name is not found in time')
  })
  try {
    return await Promise.race([resolveHost(url.hostname, isAllowed, lookUpInDns), tooLate])
  } catch (cause) {
    throw unreachable(what, cause)
  }
}

type RequestParts = FetchRequest & { readonly pinned: Addresses; readonly signal: AbortSignal }

async function request(url: URL, { pinned, accept, what, signal }: RequestParts): Promise<http.IncomingMessage> {
  try {
    return await new Promise((resolve, reject) => {
      const { get } = url.protocol === 'https:' ? https : http
      const options = {
        signal,
        agent: false,
        headers: { accept, 'accept-encoding': 'identity' },
        // The addresses that were checked are the ones that are used: a name may change its mind in between.
        lookup: pinnedLookup(pinned),
      }
      get(url, options, resolve).on('error', reject)
    })
  } catch (cause) {
    throw unreachable(what, cause)
  }
}

function unreachable(what: string, cause: unknown): AppError {
  return cause instanceof AppError ? cause : new AppError('not-found', `The ${what} cannot be reached.`, { cause })
}

/** Only the addresses that were checked, whatever the name leads to by then. */
export function pinnedLookup(pinned: Addresses): NonNullable<http.RequestOptions['lookup']> {
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [...pinned])
    else callback(null, pinned[0].address, pinned[0].family)
  }
}

async function read(
  answer: http.IncomingMessage,
  { what, maxBytes, mayCut = false, onHead, watch }: FetchRequest & FetchLimits & { readonly watch: FetchWatch },
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      watch.saw(chunk.length)
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
