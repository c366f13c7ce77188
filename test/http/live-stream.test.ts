import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createLive } from '#server/feeds/live.ts'
import { createLiveStreams } from '#server/http/live-stream.ts'
import { until } from '#test/support/until.ts'

/** A browser that listens, and the connection that it closes. */
function connect(n: number) {
  const parts = { req: { socket: {} }, writeHead: () => raw, write: () => true, end: () => raw }
  const raw = Object.assign(new EventEmitter(), parts)
  const reply = { raw, hijack: () => {}, getHeaders: () => ({}) } as unknown as FastifyReply
  return { raw, reply, request: { ip: `10.0.0.${n}` } as FastifyRequest }
}

describe('many open pages that one event concerns', () => {
  it('are told one after the other, so that requests come in between', async () => {
    const live = createLive()
    const streams = createLiveStreams(live)
    let [reads, together, most] = [0, 0, 0]
    const readVersion = async () => {
      together += 1
      most = Math.max(most, together)
      setImmediate(() => {
        together = 0
      })
      return String(++reads)
    }
    const browsers = Array.from({ length: 100 }, (_, n) => connect(n))
    for (const [n, { request, reply }] of browsers.entries()) {
      streams.open(request, reply, { topic: 'posts', view: String(n), readVersion })
    }
    await until(() => reads === 100)
    live.publish('posts', { kind: 'changed' })
    await until(() => reads === 200)
    assert.ok(most <= 2, `${most} at once`)
    for (const { raw } of browsers) raw.emit('close')
  })
})

describe('a page that takes nothing any more', () => {
  it('loses its place, so that what it is sent is not kept for it', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const streams = createLiveStreams(createLive())
    const readVersion = async () => '1'
    const open = (n: number, writableLength: number) => {
      const { raw, reply, request } = connect(n)
      const closed = Object.assign(raw, { writableLength, isDestroyed: false, destroy: () => raw.emit('close') })
      raw.on('close', () => {
        closed.isDestroyed = true
      })
      streams.open(request, reply, { topic: 'posts', readVersion })
      return closed
    }
    const [gone, slow] = [open(1, 1_000_000), open(2, 100)]
    t.mock.timers.tick(60_000)
    assert.deepEqual([gone.isDestroyed, slow.isDestroyed], [true, false])
    slow.emit('close')
  })
})
