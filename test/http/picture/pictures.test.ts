import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import type { Config } from '#server/config.ts'
import { createFetchPlaces } from '#server/http/fetch-places.ts'
import type { Pace } from '#server/http/fetch-watch.ts'
import { MOST_COMMENT_PICTURES } from '#server/http/pages/post-view.ts'
import { isOwnUpload } from '#server/http/picture/own-uploads.ts'
import { createPictures } from '#server/http/picture/pictures.ts'
import { isPublicAddress } from '#server/http/picture/public-address.ts'
import { putPicture } from '#server/http/picture/put-picture.ts'
import { sniffPicture } from '#server/http/picture/sniff.ts'
import { createSecret } from '#server/people/secret.ts'
import { assertNoThread } from '#test/support/look-ups.ts'
import { until } from '#test/support/until.ts'

const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(500)])
const asked: string[] = []
let release = () => {}
/** Answers that never come. */
const held = new Set<ServerResponse>()
let isDry = false

const remote = createServer((request, response) => {
  asked.push(request.url ?? '')
  const path = new URL(request.url ?? '/', 'http://x').pathname
  if (path === '/picture.png' || path === '/upload/picture.png')
    return response.writeHead(200, { 'content-type': 'text/html' }).end(png)
  if (path === '/page') return response.writeHead(200, { 'content-type': 'image/png' }).end('<html>'.repeat(100))
  if (path === '/large') return response.writeHead(200).end(Buffer.concat([png, Buffer.alloc(20_000)]))
  if (path === '/around') return response.writeHead(302, { location: '/around' }).end()
  if (path === '/moved') return response.writeHead(301, { location: '/picture.png' }).end()
  if (path === '/inside') return response.writeHead(301, { location: 'http://[::1]:1/picture.png' }).end()
  if (path.startsWith('/never')) {
    held.add(response)
    response.on('close', () => held.delete(response))
    return
  }
  if (path === '/drip') {
    const drip = setInterval(() => response.write('\x89'), 20)
    response.on('close', () => {
      clearInterval(drip)
      isDry = true
    })
    return
  }
  if (path === '/slow') {
    release = () => response.end(png)
    return
  }
  response.writeHead(404).end()
})

/** The network of somebody who reads a page. */
const READER = '192.0.2.1'
let origin = ''
before(async () => {
  await new Promise<void>((resolve) => remote.listen(0, resolve))
  origin = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`
})
after(() => {
  remote.closeAllConnections()
  remote.close()
})

function createTestPictures({
  timeoutMs = 5_000,
  pace = undefined as Pace | undefined,
  clock = () => new Date(),
  isAllowed = (address: string): boolean => address.startsWith('127.0.0.'),
} = {}) {
  const options = { isAllowed, maxBytes: 10_000, timeoutMs, pace, clock }
  const pictures = createPictures(createSecret(Buffer.alloc(32)), options)
  return { ...pictures, find: (address: string, reader = READER) => pictures.find(address, reader) }
}

describe('the picture proxy', () => {
  it('fetches what was uploaded to the server that runs here, and nothing else on this machine', async () => {
    const local = { isLocal: true, local: { httpPort: Number(new URL(origin).port) } } as Config
    const own = (address: string) => isOwnUpload(local, address)
    const limits = { isAllowed: isPublicAddress, maxBytes: 10_000, timeoutMs: 5_000, clock: () => new Date() }
    const pictures = createPictures(createSecret(Buffer.alloc(32)), { ...limits, isOwnUpload: own })
    assert.equal((await pictures.find(`${origin}/upload/picture.png`, READER)).type, 'image/png')
    await assert.rejects(pictures.find(`${origin}/picture.png`, READER))
    assert.ok(
      !own(`${origin}/upload/../api`) && !own(`${origin}1/upload/x`) && !own(`http://x@${origin.slice(7)}/upload/x`),
    )
    assert.ok(!isOwnUpload({ ...local, isLocal: false }, `${origin}/upload/x`))
  })

  it('believes the bytes and not the type', async () => {
    const pictures = createTestPictures()
    assert.equal((await pictures.find(`${origin}/picture.png`)).type, 'image/png')
    await assert.rejects(pictures.find(`${origin}/page`), { code: 'not-found' })
  })

  it('fetches a picture once, also when many ask at the same time, and a missing one not again at once', async () => {
    const pictures = createTestPictures()
    asked.length = 0
    await Promise.all([1, 2, 3].map(() => pictures.find(`${origin}/picture.png?once`)))
    await pictures.find(`${origin}/picture.png?once`)
    assert.equal(asked.length, 1)
    await assert.rejects(pictures.find(`${origin}/missing`), { code: 'not-found' })
    await assert.rejects(pictures.find(`${origin}/missing`), { code: 'not-found' })
    assert.equal(asked.length, 2)
  })

  it('turns away who comes when too many wait, for that moment only', async () => {
    const pictures = createTestPictures()
    const all = Array.from({ length: 250 }, (_, number) => `${origin}/picture.png?${number}`)
    const found = await Promise.allSettled(all.map((address) => pictures.find(address)))
    assert.deepEqual(new Set(found.map(({ status }) => status)), new Set(['fulfilled', 'rejected']))
    for (const address of all) assert.equal((await pictures.find(address)).type, 'image/png')
  })

  it('is bounded in size, time and redirects', async () => {
    const pictures = createTestPictures({ timeoutMs: 300 })
    await assert.rejects(pictures.find(`${origin}/large`), { code: 'too-large' })
    await assert.rejects(pictures.find(`${origin}/slow`), { code: 'not-found' })
    release()
    await assert.rejects(pictures.find(`${origin}/around`), { code: 'not-found' })
    assert.equal((await pictures.find(`${origin}/moved`)).type, 'image/png')
  })

  it('never connects to a private address, not by name, number, redirect or a form of IPv6', async () => {
    const pictures = createTestPictures({ isAllowed: isPublicAddress })
    asked.length = 0
    const port = new URL(origin).port
    const names = ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]']
    for (const host of names)
      await assert.rejects(pictures.find(`http://${host}:${port}/picture.png`), { name: 'AppError' })
    assert.equal(asked.length, 0)
    await assert.rejects(createTestPictures().find(`${origin}/inside`), { code: 'forbidden' })
    for (const address of [
      '10.0.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      'fe80::1',
      'fd00::1',
      '0.0.0.0',
    ]) {
      assert.equal(isPublicAddress(address), false, address)
    }
    for (const address of ['93.184.216.34', '2606:2800:220:1::1']) assert.equal(isPublicAddress(address), true, address)
  })

  it('takes only http and https without a password', async () => {
    const pictures = createTestPictures()
    for (const url of ['file:///etc/passwd', 'data:image/png;base64,AAAA', 'http://a:b@127.0.0.1/', 'nonsense']) {
      await assert.rejects(pictures.find(url), { code: 'bad-request' })
    }
  })

  it('is not held by a slow host: a good picture comes while all that it was asked for waits', async () => {
    const pictures = createTestPictures({ timeoutMs: 60_000, pace: { firstByteMs: 60_000, bytesPerSecond: 1 } })
    let ended = 0
    const slow = Array.from({ length: 48 }, (_, n) => `${origin}/never?${n}`)
    for (const address of slow) pictures.find(address).catch(() => ended++)
    await until(() => held.size > 0)
    // The same server at another address, as another's would be.
    const good = `${origin.replace('127.0.0.1', '127.0.0.2')}/picture.png?good`
    assert.equal((await pictures.find(good)).type, 'image/png')
    assert.equal(ended, 0)
    await until(() => {
      for (const answer of held) answer.destroy()
      return ended === slow.length
    })
  })

  it('is not held by hundreds of addresses of many hosts and networks that never answer', async () => {
    const pictures = createTestPictures({
      timeoutMs: 60_000,
      pace: { firstByteMs: 60_000, bytesPerSecond: 1 },
      isAllowed: (address) => address.startsWith('127.'),
    })
    let ended = 0
    const at = (n: number) => origin.replace('127.0.0.1', `127.1.${n >> 7}.${1 + (n & 127)}`)
    const slow = Array.from({ length: 400 }, (_, n) => `${at(n)}/never?${n}`)
    // Of two readers: one has opened the page where somebody put them all, the other asks for them on purpose.
    const readers = ['198.51.100.1', '203.0.113.1']
    slow.forEach((address, n) => void pictures.find(address, readers[n % 2]).catch(() => ended++))
    await until(() => held.size > 0)
    assert.equal((await pictures.find(`${at(1_000)}/picture.png?others`)).type, 'image/png')
    // Also where they were the first to ask for it.
    for (const reader of readers) pictures.find(`${at(1_001)}/picture.png?same`, reader).catch(() => {})
    assert.equal((await pictures.find(`${at(1_001)}/picture.png?same`)).type, 'image/png')
    // A host that answers has places of its own with the reader of such a page, too.
    assert.equal((await pictures.find(`${at(1_000)}/picture.png?again`, readers[0])).type, 'image/png')
    assert.equal(ended, 0)
    await until(() => {
      for (const answer of held) answer.destroy()
      return ended === slow.length
    })
  })

  it('comes at once beside a comment with dead addresses, and before other ones of hosts that failed', async () => {
    const pictures = createTestPictures({
      timeoutMs: 60_000,
      pace: { firstByteMs: 60_000, bytesPerSecond: 1 },
      isAllowed: (address) => address.startsWith('127.'),
    })
    let ended = 0
    const at = (n: number) => origin.replace('127.0.0.1', `127.2.0.${n}`)
    const ask = (address: string) =>
      pictures.find(address).then(
        () => assert.fail('it never comes'),
        () => ended++,
      )
    const end = (all: readonly Promise<unknown>[]) => {
      const before = ended
      return until(() => {
        for (const answer of held) answer.destroy()
        return ended === before + all.length
      })
    }
    const dead = Array.from({ length: MOST_COMMENT_PICTURES }, (_, n) => ask(`${at(n + 1)}/never`))
    assert.equal((await pictures.find(`${at(200)}/picture.png`)).type, 'image/png')
    assert.equal(ended, 0)
    await end(dead)
    const others = Array.from({ length: 48 }, (_, n) => ask(`${at(1 + (n % MOST_COMMENT_PICTURES))}/never?${n}`))
    assert.equal((await pictures.find(`${at(201)}/picture.png`)).type, 'image/png')
    assert.equal(ended, MOST_COMMENT_PICTURES)
    await end(others)
  })

  it('lets those wait whose host, zone or network failed, until one of them answers', async () => {
    const { ask, lookUp } = createFetchPlaces()
    const readers = new Set([READER])
    const fail = (place: { host: string; zone: string; network: string | undefined }) =>
      assert.rejects(ask({ ...place, readers }, () => Promise.reject(new Error('nothing came'))))
    const hosts = Array.from({ length: 50 }, (_, n) => `h${n}.example`)
    const asked = { zone: 'a.example', network: '192.0.2.1' }
    await fail({ host: 'dead.a.example', ...asked })
    /** How many are under way at once of fifty hosts that nobody asked before. */
    const countAtOnce = async (place: (host: string) => { zone: string; network: string | undefined }) => {
      const gate = Promise.withResolvers<void>()
      let running = 0
      const all = hosts.map((host) =>
        lookUp({ host, ...place(host), readers }, () => {
          running += 1
          return gate.promise
        }),
      )
      await new Promise(setImmediate)
      const atOnce = running
      gate.resolve()
      await Promise.all(all)
      return atOnce
    }
    const ofZone = () => countAtOnce(() => ({ zone: 'a.example', network: undefined }))
    const ofNetwork = () => countAtOnce((host) => ({ zone: host, network: '192.0.2.1' }))
    assert.equal(await countAtOnce((host) => ({ zone: host, network: undefined })), 36)
    assert.equal(await ofZone(), 6)
    assert.equal(await ofNetwork(), 6)
    await ask({ host: 'good.a.example', ...asked, readers }, () => Promise.resolve())
    assert.equal(await ofZone(), 12)
    assert.equal(await ofNetwork(), 12)
  })

  it('comes in turn where many readers ask for what never answers', async () => {
    const { ask } = createFetchPlaces()
    const order: string[] = []
    const gates: (() => void)[] = []
    const asked = (host: string, reader: string) =>
      ask({ host, zone: host, network: undefined, readers: new Set([reader]) }, () => {
        order.push(host)
        return new Promise<void>((resolve) => gates.push(resolve))
      }).catch((error) => assert.equal(error.code, 'unavailable'))
    const slow = Array.from({ length: 480 }, (_, n) => asked(`192.0.2.${n}`, `reader ${n % 6}`))
    const good = asked('good.example', 'another')
    await new Promise(setImmediate)
    const first = order.length
    assert.ok(first < 144, `${first} at once`)
    gates.shift()?.()
    await until(() => order.length > first)
    assert.equal(order.at(-1), 'good.example', 'the next place is theirs')
    let isOver = false
    void Promise.all([...slow, good]).then(() => {
      isOver = true
    })
    await until(() => {
      for (const open of gates.splice(0)) open()
      return isOver
    })
    assert.ok(order.length >= 400)
  })

  it('gives the many names of one zone or network no more places than it has', async () => {
    const places = createFetchPlaces()
    for (const turns of ['ask', 'read'] as const) {
      const gate = Promise.withResolvers<void>()
      let running = 0
      const begin = (host: string, network: string) =>
        places[turns]({ host, zone: host.slice(3), network, readers: new Set([host]) }, async () => {
          running += 1
          await gate.promise
        })
      const slow = Array.from({ length: 20 }, (_, n) => begin(`a${n % 8}.zone.example`, `192.0.2.${n}`))
      const names = Array.from({ length: 20 }, (_, n) => begin(`b${n % 8}.zone${n}.example`, '198.51.100.1'))
      await new Promise(setImmediate)
      assert.ok(running <= 24 && running > 0, `${running}`)
      gate.resolve()
      await Promise.all([...slow, ...names])
    }
  })

  it('asks DNS without taking a thread of Node for as long as a name server is silent', async () => {
    const picture = { type: 'image/png', size: png.length, stream: Readable.from([png]) }
    const slot = { put: 'http://pictures.invalid/a.png', headers: {} }
    const limits = { isOwn: false, isAllowed: isPublicAddress, timeoutMs: 60_000 }
    await assertNoThread(() =>
      assert.rejects(createTestPictures().find('http://pictures.invalid/a.png'), { code: 'not-found' }),
    )
    await assertNoThread(() => assert.rejects(putPicture(slot, picture, limits), { name: 'AppError' }))
  })

  it('leaves a server that sends nothing, or next to nothing, long before the time for a whole picture', async () => {
    const pictures = createTestPictures({ timeoutMs: 600_000, pace: { firstByteMs: 50, bytesPerSecond: 1_000 } })
    await assert.rejects(pictures.find(`${origin}/never?first-byte`), { code: 'not-found' })
    await assert.rejects(pictures.find(`${origin}/drip`), { code: 'not-found' })
    await until(() => isDry && held.size === 0)
  })

  it('fetches only what our own pages ask for', () => {
    const pictures = createTestPictures()
    const [, , signature = '', encoded = ''] = pictures.writePath('https://example.org/ä.png?a=1&b').split('/')
    assert.equal(pictures.readAddress({ signature, encoded }), 'https://example.org/ä.png?a=1&b')
    const other = Buffer.from('https://other.example/').toString('base64url')
    assert.equal(pictures.readAddress({ signature, encoded: other }), undefined)
  })

  it('fetches what a preview asks for while it lasts, and under no other address', () => {
    let now = Date.parse('2026-03-14T21:00:00Z')
    const pictures = createTestPictures({ clock: () => new Date(now) })
    const path = pictures.preview.writePath('https://example.org/a.png')
    const [, signature = '', encoded = '', end = ''] = /^\/picture\/([^/]+)\/([^/?]+)\?until=(\d+)$/.exec(path) ?? []
    const read = (parts = {}) => pictures.readAddress({ signature, encoded, until: end, ...parts })
    assert.equal(read(), 'https://example.org/a.png')
    for (const parts of [{ until: undefined }, { until: '999999' }, { until: '' }]) assert.equal(read(parts), undefined)
    now += 59 * 60_000
    assert.equal(read(), 'https://example.org/a.png')
    now += 2 * 3_600_000
    assert.equal(read(), undefined)
  })

  it('knows a picture by its first bytes', () => {
    assert.equal(sniffPicture(Buffer.from('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf', 'latin1')), 'image/avif')
    assert.equal(sniffPicture(Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1')), 'image/webp')
    assert.equal(sniffPicture(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')), undefined)
    assert.equal(sniffPicture(Buffer.alloc(0)), undefined)
  })
})
