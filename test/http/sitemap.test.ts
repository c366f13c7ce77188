import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addAuthorRow } from '#server/store/author.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { blogOfAuthor, fillLargeIndex } from '#test/support/large-index.ts'
import { watchTurns } from '#test/support/turns.ts'
import { createTestSite } from './test-site.ts'

const [POSTS, AUTHORS] = [12_000, 10]

describe('the sitemap of a large site', () => {
  it('has every post once, in parts that are made in slices', async () => {
    await using folder = await createTestFolder()
    const indexPath = folder.file('index.sqlite')
    await fillLargeIndex(indexPath, { posts: POSTS, authors: AUTHORS })
    await using site = await createTestSite({ indexPath })
    const now = site.ctx.clock()
    for (let n = 1; n <= AUTHORS; n++) await addAuthorRow(site.ctx.state, blogOfAuthor(n).service, now)
    site.ctx.setNow(now)
    const read = async (path: string) => (await site.browser().get(path)).body

    const parts = [...(await read('/sitemap.xml')).matchAll(/<loc>https:\/\/blog\.example(.*?)<\/loc>/g)]
    assert.ok(parts.length > 2, `${parts.length} parts`)
    const addresses: string[] = []
    for (const [, part = ''] of parts) {
      addresses.push(...[...(await read(part)).matchAll(/<url><loc>(.*?)<\/loc>/g)].flatMap(([, url]) => url ?? []))
    }
    assert.equal(new Set(addresses).size, addresses.length)
    assert.equal(addresses.length, POSTS + AUTHORS + 1)

    const kept = await watchTurns(() => read('/sitemap-1.xml'))
    site.ctx.setNow(new Date(now.getTime() + 3_600_000))
    const made = await watchTurns(() => read('/sitemap-1.xml'))
    assert.ok(made.count >= kept.count + 3, `${made.count} turns, ${kept.count} where it was kept`)
  })
})
