import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
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

const READERS = 10_000
/** About what a system call takes. */
const PACKET_MS = 0.02

/** A reader on a connection that leads nowhere. */
function connectReader(n: number, onPacket: (text: string) => void) {
  const req = Object.assign(new IncomingMessage(new Socket()), { httpVersionMajor: 1, httpVersionMinor: 1 })
  const raw = new ServerResponse(req)
  const take = (text: string, done: () => void) => {
    const end = performance.now() + PACKET_MS
    while (performance.now() < end);
    onPacket(text)
    done()
  }
  const socket = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => take(String(chunk), done),
    writev: (chunks, done) => take(chunks.map(({ chunk }) => String(chunk)).join(''), done),
  })
  raw.assignSocket(socket as Socket)
  const reply = { raw, hijack: () => {}, getHeaders: () => ({}) } as unknown as FastifyReply
  return { raw, reply, request: { ip: `10.0.${Math.floor(n / 100)}.1`, raw: req } as FastifyRequest }
}

describe('10,000 open pages of one topic', () => {
  it('are told of an event in slices', async (t) => {
    const live = createLive()
    const streams = createLiveStreams(live)
    let [version, turn] = ['old', 0]
    /** In which turn of the event loop each was told of a version. */
    const told = { old: new Map<number, number>(), new: new Map<number, number>() }
    const readers = Array.from({ length: READERS }, (_, n) =>
      connectReader(n, (text) => {
        for (const [word, turns] of Object.entries(told)) if (text.includes(`"${word}"`)) turns.set(n, turn)
      }),
    )
    t.after(() => readers.forEach(({ raw }) => void raw.emit('close')))
    const source = { topic: 'posts', readVersion: async () => version }
    for (const { request, reply } of readers) streams.open(request, reply, source)
    await until(() => told.old.size === READERS)
    version = 'new'
    live.publish('posts', { kind: 'changed' })
    while (told.new.size < READERS) {
      await nextTurn()
      turn++
    }
    assertSlices(told.new.values())
  })

  it('end in slices once their page is gone, told nothing more, and come back at different times', async (t) => {
    const live = createLive()
    const streams = createLiveStreams(live)
    let [isGone, toldCount, turn] = [false, 0, 0]
    const retries: number[] = []
    /** In which turn of the event loop each ended. */
    const ended = new Map<number, number>()
    const readers = Array.from({ length: READERS }, (_, n) =>
      connectReader(n, (text) => {
        const retry = /^retry: (\d+)$/m.exec(text)?.[1]
        if (retry !== undefined) retries.push(Number(retry))
        if (text.includes('event: state')) toldCount++
      }),
    )
    t.after(() => readers.forEach(({ raw }) => void raw.emit('close')))
    const readVersion = async () => {
      if (isGone) throw new Error('The post is deleted.')
      return '1'
    }
    for (const [n, { raw, request, reply }] of readers.entries()) {
      raw.on('finish', () => ended.set(n, turn))
      streams.open(request, reply, { topic: 'posts', readVersion })
    }
    await until(() => toldCount === READERS)
    isGone = true
    live.publish('posts', { kind: 'changed' })
    while (ended.size < READERS) {
      await nextTurn()
      turn++
      live.publish('posts', { kind: 'changed' })
    }
    assertSlices(ended.values())
    assert.equal(toldCount, READERS)
    assert.equal(retries.length, READERS)
    assert.ok(retries.every((retry) => retry >= 3_000 && retry < 10_000))
    const sameSecond = Object.values(Object.groupBy(retries, (retry) => Math.floor(retry / 1_000)))
    assert.ok(sameSecond.every((same) => (same?.length ?? 0) < READERS / 4))
  })
})

/** Asserts that no turn of the event loop had a tenth of the readers or more. */
function assertSlices(turns: Iterable<number>): void {
  const most = Math.max(...Object.values(Object.groupBy(turns, String)).map((same) => same?.length ?? 0))
  assert.ok(most < READERS / 10, `${most} of ${READERS} in one turn`)
}

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
