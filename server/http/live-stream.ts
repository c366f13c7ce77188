import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Live } from '#server/feeds/live.ts'

export interface LiveStreams {
  /**
   * Holds the request open and sends the page's version now and after every change, so that a browser that was away
   * for a while sees at once whether it missed something.
   */
  open(request: FastifyRequest, reply: FastifyReply, stream: LiveStream): void
  stop(): void
}

export interface LiveStream {
  readonly topic: string
  readonly readVersion: () => Promise<string>
}

const HEARTBEAT_MS = 25_000
const MOST = 1_000
const MOST_PER_ADDRESS = 100

export function createLiveStreams(live: Live): LiveStreams {
  const open = new Map<FastifyReply, { address: string; close: () => void }>()

  function requireRoom(address: string): void {
    const ofAddress = [...open.values()].filter((stream) => stream.address === address).length
    if (open.size < MOST && ofAddress < MOST_PER_ADDRESS) return
    throw new AppError('too-many', 'Too many pages are open at once.', { retryAfter: 60 })
  }

  return {
    open(request, reply, { topic, readVersion }) {
      requireRoom(request.ip)
      reply.hijack()
      const { raw } = reply
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
      const push = () => {
        readVersion().then(
          (version) => raw.write(`event: state\ndata: ${JSON.stringify({ version })}\n\n`),
          () => raw.end(),
        )
      }
      const unsubscribe = live.subscribe(topic, push)
      const heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS)
      raw.on('close', () => {
        unsubscribe()
        clearInterval(heartbeat)
        open.delete(reply)
      })
      open.set(reply, { address: request.ip, close: () => raw.end() })
      push()
    },
    stop() {
      for (const { close } of open.values()) close()
    },
  }
}
