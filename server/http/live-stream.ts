import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Live, LiveEvent } from '#server/feeds/live.ts'

export interface LiveStreams {
  /**
   * Holds the request open and sends the page's version now and after every change, so that a browser that was away
   * for a while sees at once whether it missed something.
   */
  open(request: FastifyRequest, reply: FastifyReply, ...sources: LiveSource[]): void
  stop(): void
}

export interface LiveSource {
  readonly topic: string
  /** What it is called in the stream: `state` unless told. */
  readonly event?: string
  /** What tells apart those who see different versions of it. */
  readonly view?: string
  /** Whether an event can change the version; every one unless told. */
  readonly concerns?: (event: LiveEvent) => boolean
  readonly readVersion: () => Promise<string>
}

/** All the open pages of one topic and view: what changed is read once for all of them. */
interface Channel {
  readonly streams: Set<ServerResponse>
  refresh(): void
  close(): void
}

const HEARTBEAT_MS = 25_000
/** While much happens at once, as when a feed is read for the first time. */
const PAUSE_MS = 250
const MOST = 1_000
const MOST_PER_ADDRESS = 100

export function createLiveStreams(live: Live): LiveStreams {
  const channels = new Map<string, Channel>()
  const inTurn = createTurns()
  const addresses = new Map<ServerResponse, string>()

  function requireRoom(address: string): void {
    const ofAddress = [...addresses.values()].filter((other) => other === address).length
    if (addresses.size < MOST && ofAddress < MOST_PER_ADDRESS) return
    throw new AppError('too-many', 'Too many pages are open at once.', { retryAfter: 60 })
  }

  function join(source: LiveSource, stream: ServerResponse): () => void {
    const key = JSON.stringify([source.topic, source.view, source.event])
    const channel = channels.get(key) ?? createChannel(live, source, inTurn)
    channels.set(key, channel)
    channel.streams.add(stream)
    channel.refresh()
    return () => {
      channel.streams.delete(stream)
      if (channel.streams.size > 0 || channels.get(key) !== channel) return
      channels.delete(key)
      channel.close()
    }
  }

  return {
    open(request, reply, ...sources) {
      requireRoom(request.ip)
      reply.hijack()
      const { raw } = reply
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
      addresses.set(raw, request.ip)
      const leaves = sources.map((source) => join(source, raw))
      const heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS)
      raw.on('error', () => {})
      raw.on('close', () => {
        clearInterval(heartbeat)
        addresses.delete(raw)
        for (const leave of leaves) leave()
      })
    },
    stop() {
      for (const stream of addresses.keys()) stream.end()
    },
  }
}

type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** One after the other: SQLite answers at once, so a thousand pages would let no request in between. */
function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const run = last.then(() => nextTurn()).then(work)
    last = run.catch(() => {})
    return run
  }
}

function createChannel(live: Live, source: LiveSource, inTurn: InTurn): Channel {
  const { topic, event = 'state', readVersion, concerns = () => true } = source
  const streams = new Set<ServerResponse>()
  let state: 'idle' | 'busy' | 'again' = 'idle'
  let pause: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    const version = await inTurn(readVersion)
    for (const stream of streams) stream.write(`event: ${event}\ndata: ${JSON.stringify({ version })}\n\n`)
  }

  function refresh(): void {
    if (state !== 'idle') {
      state = 'again'
      return
    }
    state = 'busy'
    read()
      // The page is gone: at their next attempt the browsers get its status.
      .catch(() => streams.forEach((stream) => void stream.end()))
      .finally(() => {
        pause = setTimeout(goOn, PAUSE_MS)
      })
  }

  function goOn(): void {
    const isChanged = state === 'again'
    state = 'idle'
    if (isChanged && streams.size > 0) refresh()
  }

  const unsubscribe = live.subscribe(topic, (change) => {
    if (concerns(change)) refresh()
  })
  const close = () => {
    clearTimeout(pause)
    unsubscribe()
  }
  return { streams, refresh, close }
}
