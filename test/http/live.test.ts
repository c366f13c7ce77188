import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ingest } from '#server/feeds/ingest.ts'
import { until } from '#test/support/until.ts'
import { BLOG, itemOf, ROMEO } from '../feeds/fixtures.ts'
import { listen } from './listen.ts'
import { seedAuthor, seedComment, seedPost, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

async function listeningSite(): Promise<TestSite> {
  const site = await createTestSite()
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

  it('is one of a bounded number from one address', async () => {
    await using site = await listeningSite()
    const pages = await Promise.all(Array.from({ length: 100 }, () => listen(site, '/@juliet/live.events')))
    const refused = await listen(site, '/@juliet/live.events')
    assert.equal(refused.answer.statusCode, 429)
    pages[0]?.answer.destroy()
    await until(async () => {
      const again = await listen(site, '/@juliet/live.events')
      again.answer.destroy()
      return again.answer.statusCode === 200
    })
    for (const { answer } of pages) answer.destroy()
  })

  it('does not keep the site from closing', async () => {
    const site = await listeningSite()
    const page = await listen(site, '/@juliet/live.events')
    await until(() => page.versions[0])
    await site[Symbol.asyncDispose]()
    await until(() => page.isEnded || page.answer.destroyed)
  })
})
