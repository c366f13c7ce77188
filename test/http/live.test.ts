import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { describe, it } from 'node:test'
import { ingest } from '#server/feeds/ingest.ts'
import { until } from '#test/support/until.ts'
import { BLOG, itemOf, ROMEO } from '../feeds/fixtures.ts'
import { listen } from './listen.ts'
import { seedAuthor, seedComment, seedPost, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

async function listeningSite(env: Record<string, string> = {}): Promise<TestSite> {
  const site = await createTestSite({ env })
  await seedAuthor(site)
  await site.app.listen({ port: 0, host: '127.0.0.1' })
  return site
}

const versionOf = async (site: TestSite, path: string) =>
  /data-version="([^"]*)"/.exec((await site.browser().get(path)).body)?.[1]

describe('an open page', () => {
  it('is told of each comment, and at once what it missed', async () => {
    await using site = await listeningSite()
    const { path, thread } = await seedThread(site, 'balcony')
    const shown = await versionOf(site, path)
    const page = await listen(site, `${path}/live.events`)
    assert.equal(page.answer.headers['content-type'], 'text/event-stream')
    assert.equal(await until(() => page.versions[0]), shown)
    await seedComment(site, 'c1', { thread, from: ROMEO, title: 'Hear me' })
    const changed = await until(() => page.versions.find((version) => version !== shown))
    assert.equal(changed, await versionOf(site, path))
    const late = await listen(site, `${path}/live.events`)
    assert.equal(await until(() => late.versions[0]), changed)
    page.answer.destroy()
    late.answer.destroy()
  })

  it('of a blog is told of a new post', async () => {
    await using site = await listeningSite()
    const page = await listen(site, '/@juliet/live.events')
    const shown = await until(() => page.versions[0])
    await seedPost(site, 'new')
    await until(() => page.versions.find((version) => version !== shown))
    page.answer.destroy()
  })

  it('hears no more once its post is deleted, and learns why', async () => {
    await using site = await listeningSite()
    const path = await seedPost(site, 'balcony')
    const page = await listen(site, `${path}/live.events`)
    await until(() => page.versions[0])
    await ingest(site.ctx, { kind: 'retracted', address: itemOf(BLOG, 'balcony') })
    await until(() => page.isEnded)
    assert.equal((await site.browser().get(`${path}/live.events`)).statusCode, 410)
    assert.equal((await site.browser().get('/@juliet/none/live.events')).statusCode, 404)
  })

  it('beyond a hundred of one network is told what there is, and asked to come again', async () => {
    await using site = await listeningSite({ CANTO_PROXY: '127.0.0.1' })
    const open = (address: string) => listen(site, '/@juliet/live.events', { headers: { 'x-forwarded-for': address } })
    // All of them are one IPv6 network.
    const pages = await Promise.all(Array.from({ length: 100 }, (_, n) => open(`2001:db8::${n}`)))
    await until(() => pages.every(({ versions }) => versions.length > 0))
    const late = await open('2001:db8::ffff:1')
    assert.equal(late.answer.statusCode, 200)
    await until(() => late.isEnded)
    assert.deepEqual(late.versions, pages[0]?.versions.slice(0, 1))
    assert.ok((late.retries[0] ?? 0) >= 30_000)
    // Another network has its own.
    const other = await open('2001:db8:0:1::1')
    await until(() => other.versions.length > 0)
    assert.equal(other.isEnded, false)
    pages[0]?.answer.destroy()
    const back = await until(async () => {
      const again = await open('2001:db8::ffff:1')
      await until(() => again.versions.length > 0)
      await new Promise(setImmediate)
      return again.isEnded ? undefined : again
    })
    assert.ok((back.retries[0] ?? Number.POSITIVE_INFINITY) < 10_000)
    for (const { answer } of [...pages, other, back]) answer.destroy()
  })

  it('has one connection: what is pipelined behind it ends both', async () => {
    await using site = await listeningSite()
    const { port } = site.app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    let [text, isClosed] = ['', false]
    socket.on('data', (chunk) => (text += chunk))
    socket.on('close', () => {
      isClosed = true
    })
    const ask = 'GET /@juliet/live.events HTTP/1.1\r\nhost: blog.example\r\n\r\n'
    socket.write(ask)
    await until(() => text.includes('event: state'))
    assert.equal(isClosed, false)
    socket.write(ask.repeat(3))
    await until(() => isClosed)
  })

  it('does not keep the site from closing', async () => {
    const site = await listeningSite()
    const page = await listen(site, '/@juliet/live.events')
    await until(() => page.versions[0])
    await site[Symbol.asyncDispose]()
    await until(() => page.isEnded || page.answer.destroyed)
  })
})
