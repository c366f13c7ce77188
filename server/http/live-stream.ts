import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Live, LiveEvent } from '#server/feeds/live.ts'
import { networkOf } from '#server/people/throttle.ts'
import { createSlices, waitTurn } from '#server/slices.ts'
import { createLivePlaces } from './live-places.ts'

export interface LiveStreams {
  /**
   * Holds the request open and sends the page's version now and whenever it is another, so that a browser that was away
   * for a while sees at once whether it missed something. Where there is no place, it sends the version once, and the
   * browser asks again in half a minute.
   */
  open(request: FastifyRequest, reply: FastifyReply, ...sources: LiveSource[]): void
  stop(): void
}

export interface LiveSource {
  readonly topic: string
  /** What it is called in the stream: `state` unless told. */
  readonly event?: string
  /** What tells apart those who see different versions of it. */
  readonly view?: string | undefined
  /** Whether an event can change the version; every one unless told. */
  readonly concerns?: (event: LiveEvent) => boolean
  readonly readVersion: () => Promise<string>
}

/** All the open pages of one topic and view: what changed is read once for all of them. */
interface Channel {
  /** With the version that each was sent last. */
  readonly streams: Map<ServerResponse, string | undefined>
  refresh(): void
  close(): void
}

export interface LiveStreamsOptions {
  /** After how many milliseconds a page asks again for which there is no place. */
  readonly pollMs?: number | undefined
}

const HEARTBEAT_MS = 25_000
/** Bytes that a browser has not taken: it is not there any more. */
const MOST_UNREAD = 16_384
/** While much happens at once, as when a feed is read for the first time. */
const PAUSE_MS = 250
const MOST = 10_000
const MOST_OF_NETWORK = 100
/** From when until when a browser comes back after its stream ended, as all those of a page that is gone do together. */
const RETRY_MS = { least: 3_000, most: 10_000 }
const POLL_MS = 30_000

export function createLiveStreams(live: Live, { pollMs = POLL_MS }: LiveStreamsOptions = {}): LiveStreams {
  const channels = new Map<string, Channel>()
  const places = createLivePlaces({ most: MOST, mostOfNetwork: MOST_OF_NETWORK })

  function join(source: LiveSource, stream: ServerResponse): () => void {
    const key = JSON.stringify([source.topic, source.view, source.event])
    const channel = channels.get(key) ?? createChannel(live, source)
    channels.set(key, channel)
    channel.streams.set(stream, undefined)
    channel.refresh()
    return () => {
      channel.streams.delete(stream)
      if (channel.streams.size > 0 || channels.get(key) !== channel) return
      channels.delete(key)
      channel.close()
    }
  }

  function hold(raw: ServerResponse, sources: readonly LiveSource[]): void {
    raw.write(`retry: ${Math.floor(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least))}\n\n`)
    const leaves = sources.map((source) => join(source, raw))
    const heartbeat = setInterval(() => {
      if (raw.writableLength > MOST_UNREAD) raw.destroy()
      else raw.write(':\n\n')
    }, HEARTBEAT_MS)
    raw.on('close', () => {
      clearInterval(heartbeat)
      for (const leave of leaves) leave()
    })
  }

  /** The browser asks again by itself when a stream ends (HTML, server-sent events): not all of them at once. */
  async function answerOnce(raw: ServerResponse, sources: readonly LiveSource[]): Promise<void> {
    raw.write(`retry: ${Math.round(pollMs * (1 + Math.random() / 3))}\n\n`)
    for (const source of sources) raw.write(writeEvent(source, await source.readVersion()))
  }

  return {
    open(request, reply, ...sources) {
      reply.hijack()
      const { raw } = reply
      raw.on('error', () => {})
      const place = places.take(raw, networkOf(request.ip))
      if (place === 'pipelined') return void request.raw.socket.destroy()
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
      if (place === 'taken') hold(raw, sources)
      else
        answerOnce(raw, sources)
          .catch(() => {})
          .finally(() => raw.end())
    },
    stop() {
      for (const stream of places.streams()) stream.end()
    },
  }
}

function writeEvent({ event = 'state' }: LiveSource, version: string): string {
  return `event: ${event}\ndata: ${JSON.stringify({ version })}\n\n`
}

/** `createSlices` for what is written to many streams, a step each. */
function createWriteSlices(): () => Promise<void> {
  const pause = createSlices()
  return async () => {
    // Node hands it to the connection in the next tick, which is most of the work.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    await pause()
  }
}

function createChannel(live: Live, source: LiveSource): Channel {
  const { topic, readVersion, concerns = () => true } = source
  const streams: Channel['streams'] = new Map()
  let state: 'idle' | 'busy' | 'again' = 'idle'
  let pause: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    // Each in a turn of its own: a thousand pages may be told at once.
    await waitTurn()
    const version = await readVersion()
    const words = writeEvent(source, version)
    const pause = createWriteSlices()
    for (const [stream, sent] of streams) {
      // Said again, it would tell of what the page does not show.
      if (sent === version) continue
      streams.set(stream, version)
      stream.write(words)
      await pause()
    }
  }

  /** The page is gone: at their next attempt the browsers get its status. Nothing is read meanwhile. */
  async function end(): Promise<void> {
    const pause = createWriteSlices()
    for (const stream of streams.keys()) {
      stream.end()
      await pause()
    }
  }

  function refresh(): void {
    if (state !== 'idle') {
      state = 'again'
      return
    }
    state = 'busy'
    read()
      .catch(end)
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
