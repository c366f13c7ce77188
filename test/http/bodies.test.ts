import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createBodyBudget } from '#server/http/body-budget.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const JULIET = 'juliet@capulet.example'
const MB = 1024 * 1024

/** A connection that sends what a test says, and keeps what was answered. */
interface Line extends AsyncDisposable {
  readonly socket: Socket
  readonly status: number | undefined
  readonly text: string
}

async function open(
  site: TestSite,
  head: string,
  body: Buffer = Buffer.alloc(0),
  localAddress = '127.0.0.1',
): Promise<Line> {
  const { port } = site.app.server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('error', () => {})
  socket.write(head)
  socket.write(body)
  return {
    socket,
    get status() {
      const [, code] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? []
      return code === undefined ? undefined : Number(code)
    },
    get text() {
      return text
    },
    [Symbol.asyncDispose]: async () => void socket.destroy(),
  }
}

function writeHead(path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ host: 'blog.example', accept: 'text/html', ...headers })
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of buffers that something still refers to. */
function measureHeld(): number {
  collect()
  return process.memoryUsage().arrayBuffers
}

const MULTIPART = { 'content-type': 'multipart/form-data; boundary=x' }
const URLENCODED = { 'content-type': 'application/x-www-form-urlencoded' }
const field = (name: string, value: string) =>
  `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const FILE = '--x\r\ncontent-disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'

async function listeningSite(): Promise<TestSite> {
  const site = await createTestSite()
  await site.app.listen({ port: 0, host: '127.0.0.1' })
  return site
}

const tokenOf = async (browser: TestBrowser) =>
  /name="token" value="([^"]+)"/.exec((await browser.get('/write')).body)?.[1] ?? ''

const cookieOf = ({ cookies }: TestBrowser) => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

describe('the body of a request', () => {
  it('of nobody who is known is refused at once, before its end, and takes no memory', async () => {
    await using site = await listeningSite()
    const part = Buffer.concat([Buffer.from(FILE), Buffer.alloc(4 * MB)])
    const [many, length] = [20, 10 * MB]
    const before = measureHeld()
    const lines = await Promise.all(
      Array.from({ length: many }, () =>
        open(site, writeHead('/write', { ...MULTIPART, 'content-length': length }), part),
      ),
    )
    await until(() => lines.every(({ status }) => status === 403))
    // All of it was sent, and none of it is kept.
    await until(() => lines.every(({ socket }) => socket.writableLength === 0))
    await until(() => measureHeld() - before < 2 * MB)
    for (const line of lines) await line[Symbol.asyncDispose]()
  })

  it('of a long form without a token of ours is refused at once, also where it is no file', async () => {
    await using site = await listeningSite()
    const head = { ...URLENCODED, 'content-length': 4 * MB }
    for (const path of ['/write', '/drafts/abcdefgh', '/@juliet/balcony/edit']) {
      await using line = await open(site, writeHead(path, head), Buffer.alloc(64 * 1024, 'text=aaa'))
      await until(() => line.status === 403)
    }
    // A token that does not come first is not looked for.
    const juliet = await site.signedIn(JULIET)
    const late = Buffer.from(`text=${'a'.repeat(64 * 1024)}&token=${await tokenOf(juliet)}`)
    await using line = await open(site, writeHead('/write', { ...head, cookie: cookieOf(juliet) }), late)
    await until(() => line.status === 403)
  })

  it('needs a length that fits, whoever sends it', async () => {
    await using site = await listeningSite()
    const juliet = await site.signedIn(JULIET)
    const cookie = cookieOf(juliet)
    const cases: [path: string, headers: Record<string, string | number>, status: number][] = [
      ['/write', { ...MULTIPART, cookie, 'transfer-encoding': 'chunked' }, 411],
      ['/signin', { ...URLENCODED, 'transfer-encoding': 'chunked' }, 411],
      ['/write', { ...MULTIPART, cookie, 'content-length': 30 * MB }, 413],
      ['/following/import', { ...MULTIPART, cookie, 'content-length': 3 * MB }, 413],
      ['/signin', { ...URLENCODED, 'content-length': MB }, 413],
      ['/signin', { ...MULTIPART, 'content-length': 2_000 }, 400],
    ]
    for (const [path, headers, status] of cases) {
      await using line = await open(site, writeHead(path, headers))
      await until(() => line.status !== undefined)
      assert.equal(line.status, status, path)
    }
  })

  it('is let through by the nginx of the README as far as Canto takes it, which then says what is too large', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
    const most = Number(/client_max_body_size (\d+)m;/.exec(readme)?.[1]) * MB
    await using site = await listeningSite()
    const cookie = cookieOf(await site.signedIn(JULIET))
    await using line = await open(site, writeHead('/write', { ...MULTIPART, cookie, 'content-length': most }))
    await until(() => line.status === 413)
  })

  it('of whoever is signed in is read, whether its token comes at once or by bytes', async () => {
    await using site = await listeningSite()
    const juliet = await site.signedIn(JULIET)
    const text = 'a'.repeat(300_000)
    const body =
      field('token', await tokenOf(juliet)) + field('key', 'abcdefgh') + field('text', text) + field('action', 'draft')
    const whole = `${body}--x--\r\n`
    const head = writeHead('/write', { ...MULTIPART, cookie: cookieOf(juliet), 'content-length': whole.length })
    await using line = await open(site, head)
    line.socket.setNoDelay(true)
    for (const byte of whole.slice(0, 300)) {
      line.socket.write(byte)
      await new Promise(setImmediate)
    }
    line.socket.write(whole.slice(300))
    await until(() => line.status === 303)
    assert.ok((await juliet.get('/write?draft=abcdefgh')).body.includes(`>${text}<`))
  })

  it('goes to the disk where it is a picture, and leaves nothing there', async () => {
    await using folder = await createTestFolder()
    await using site = await createTestSite({ env: { CANTO_DATA: folder.path } })
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    const juliet = await site.signedIn(JULIET)
    const fields = field('token', await tokenOf(juliet)) + field('key', 'abcdefgh') + field('action', 'draft')
    const start = Buffer.from(`${fields}${FILE}`)
    const [end, file] = [Buffer.from('\r\n--x--\r\n'), Buffer.alloc(8 * MB, 1)]
    const headers = { ...MULTIPART, cookie: cookieOf(juliet) }
    const head = writeHead('/write', { ...headers, 'content-length': start.length + file.length + end.length })
    const before = measureHeld()
    await using line = await open(site, head, start)
    line.socket.write(file)
    await until(() => line.socket.writableLength === 0)
    await until(() => measureHeld() - before < MB)
    assert.deepEqual(await readdir(folder.path), [], 'its file has no name')
    line.socket.write(end)
    await until(() => line.status !== undefined)
  })

  it('of every form that may be long begins with its token', async () => {
    const folder = new URL('../../web/', import.meta.url)
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.eta'))
    const forms: string[] = []
    for (const name of names) {
      const text = await readFile(new URL(name, folder), 'utf8')
      // Template tags have a `>` of their own.
      for (const form of text
        .replaceAll(/<%.*?%>/gs, '')
        .matchAll(/<form[^>]*(?:enctype|class="desk")[^>]*>\s*<input[^>]*>/g))
        forms.push(form[0])
    }
    assert.equal(forms.length, 2, forms.join())
    for (const form of forms) assert.match(form, /<input type="hidden" name="token"/)
  })

  it('of somebody whose session has ended is kept as text, and its file is not read', async () => {
    await using site = await listeningSite()
    const juliet = await site.signedIn(JULIET)
    const token = await tokenOf(juliet)
    juliet.cookies.clear()
    const body = field('token', token) + field('key', 'abcdefgh') + field('text', 'Kept') + field('pictures', '0')
    const payload = Buffer.concat([
      Buffer.from(`${body}${FILE}`),
      Buffer.alloc(2 * MB, 1),
      Buffer.from('\r\n--x--\r\n'),
    ])
    await using line = await open(
      site,
      writeHead('/write', { ...MULTIPART, 'content-length': payload.length }),
      payload,
    )
    await until(() => line.status === 303)
    assert.match(line.text, /location: \/signin\?next=/i)
    const again = await site.signedIn(JULIET)
    assert.match((await again.get('/drafts')).body, /Kept/)
  })

  it('and its answer are not waited for without end where nothing moves', async () => {
    await using site = await createTestSite()
    const { timeout, requestTimeout, headersTimeout } = site.app.server
    for (const ms of [timeout, requestTimeout, headersTimeout]) assert.ok(ms > 0 && ms <= 180_000, `${ms}`)
  })

  it('is counted until it is answered, by sender and in all', async () => {
    const budget = createBodyBudget({ each: 10, all: 15 })
    const take = (sender: string, bytes: number) =>
      budget.take({ sender, bytes, isArriving: () => false, giveUp: () => assert.fail('it was received') })
    const release = take('a', 8)
    assert.throws(() => take('a', 3), { code: 'unavailable' })
    take('b', 7)
    assert.throws(() => take('c', 1), { code: 'unavailable' })
    release()
    release()
    take('a', 8)
  })

  it('gives up its room where its sender has the most, and others need it', async () => {
    const budget = createBodyBudget({ each: 10, all: 20 })
    const gaveUp: string[] = []
    const take = (name: string, bytes: number) =>
      budget.take({ sender: name.charAt(0), bytes, isArriving: () => true, giveUp: () => void gaveUp.push(name) })
    const released = take('a1', 5)
    for (const [name, bytes] of Object.entries({ a2: 5, b1: 3, b2: 3, c1: 4 })) take(name, bytes)
    take('d1', 3)
    assert.deepEqual(gaveUp, ['a1'], 'the first of the one who had the most')
    released()
    take('d2', 2)
    assert.throws(() => take('c2', 2), { code: 'unavailable' }, 'nobody has more than they would have')
    assert.throws(() => take('e1', 11), { code: 'unavailable' })
    assert.deepEqual(gaveUp, ['a1'])
  })

  it('of somebody who is signed in is read, whatever strangers hold', async () => {
    await using site = await listeningSite()
    await using stack = new AsyncDisposableStack()
    const juliet = await site.signedIn(JULIET)
    const head = writeHead('/signin', { ...URLENCODED, 'content-length': 256 * 1024 })
    const lines: Line[] = []
    const hold = async (address: string) => {
      const line = stack.use(await open(site, head, Buffer.from('token='), address))
      lines.push(line)
    }
    // As much as eight networks may have, which is all that there is for strangers.
    for (let n = 0; n < 64; n++) await hold(`127.0.1.${1 + (n % 8)}`)
    // Another stranger gets the room of one of them.
    await hold('127.0.2.1')
    await until(() => lines.some(({ socket }) => socket.closed))
    assert.equal(lines.at(-1)?.status, undefined)
    const answer = await juliet.post('/write', {
      token: await tokenOf(juliet),
      ...{ key: 'abcdefgh', text: 'a'.repeat(200_000), action: 'draft' },
    })
    assert.equal(answer.statusCode, 303)
  })

  it('of one more account is read, whatever a few others hold', async () => {
    await using site = await listeningSite()
    await using stack = new AsyncDisposableStack()
    const lines: Line[] = []
    for (const name of ['tybalt', 'mercutio', 'paris', 'rosaline']) {
      const browser = await site.signedIn(`${name}@capulet.example`)
      const start = Buffer.from(field('token', await tokenOf(browser)) + field('text', 'a'.repeat(10_000)))
      const head = writeHead('/write', { ...MULTIPART, cookie: cookieOf(browser), 'content-length': 10 * MB })
      for (let n = 0; n < 3; n++) lines.push(stack.use(await open(site, head, start)))
    }
    const juliet = await site.signedIn(JULIET)
    const fields = field('token', await tokenOf(juliet)) + field('key', 'abcdefgh') + field('action', 'draft')
    const text = Buffer.from(`${fields}${field('text', 'Mine')}${FILE}`)
    const body = Buffer.concat([text, Buffer.alloc(9 * MB, 1), Buffer.from('\r\n--x--\r\n')])
    const head = writeHead('/write', { ...MULTIPART, cookie: cookieOf(juliet), 'content-length': body.length })
    const line = stack.use(await open(site, head, body))
    await until(() => line.status !== undefined)
    assert.notEqual(line.status, 503)
    assert.ok(lines.filter(({ socket }) => socket.closed).length <= 1, 'no more than it needed')
  })

  it('gives its place back when its sender goes away or is answered', async () => {
    await using site = await listeningSite()
    const head = writeHead('/signin', { ...URLENCODED, 'content-length': 200 * 1024 })
    const send = () => site.browser().post('/signin', { token: 'y'.repeat(250 * 1024) })
    const hold = () => open(site, head, Buffer.from('token='))
    for (let round = 0; round < 2; round++) {
      const lines: Line[] = []
      await until(async () => {
        const line = await hold()
        lines.push(line)
        // The ones before it wait for the rest of their bodies.
        return lines.some(({ status }) => status === 503)
      })
      assert.equal(lines.filter(({ status }) => status === 200).length, 0)
      for (const line of lines) await line[Symbol.asyncDispose]()
      await until(async () => (await send()).statusCode !== 503)
    }
    for (let n = 0; n < 20; n++) {
      assert.notEqual((await send()).statusCode, 503)
    }
  })

  it('of somebody who signs in is read, whatever strangers hold', async () => {
    await using site = await listeningSite()
    await using stack = new AsyncDisposableStack()
    const head = writeHead('/signin', { ...URLENCODED, 'content-length': 256 * 1024 })
    const lines: Line[] = []
    await until(async () => {
      lines.push(stack.use(await open(site, head, Buffer.from('token='))))
      return lines.some(({ status }) => status === 503)
    })
    const answer = await site.browser().post('/signin', { token: 'x', jid: JULIET, password: 'secret' })
    assert.notEqual(answer.statusCode, 503)
  })

  it('holds no place of an account where its sender left before all of its head was there', async () => {
    await using site = await listeningSite()
    const juliet = await site.signedIn(JULIET)
    const start = Buffer.from(field('token', await tokenOf(juliet)))
    const head = writeHead('/write', { ...MULTIPART, cookie: cookieOf(juliet), 'content-length': 9 * MB })
    for (let n = 0; n < 5; n++) {
      await using line = await open(site, head, start)
      await until(() => line.socket.writableLength === 0 && line.socket.bytesWritten >= head.length + start.length)
    }
    const count = promisify(site.app.server.getConnections.bind(site.app.server))
    await until(async () => (await count()) === 0)
    // Three of them fit, if nothing is left of those.
    await using stack = new AsyncDisposableStack()
    const whole = Buffer.concat([start, Buffer.from(field('text', 'a'.repeat(10_000)))])
    const lines = await Promise.all(Array.from({ length: 4 }, () => open(site, head, whole)))
    for (const line of lines) stack.use(line)
    await until(() => lines.some(({ status }) => status === 503))
    assert.equal(lines.filter(({ status }) => status !== undefined).length, 1)
  })
})
