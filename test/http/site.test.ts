import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '#test/support/until.ts'
import { createTestSite } from './test-site.ts'

const juliet = 'juliet@capulet.example'

describe('the thin path', () => {
  it('leads from signing in over writing to the page and the feed', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(juliet)
    const form = await browser.get('/write')
    assert.equal(form.statusCode, 200, form.body)
    const answer = await browser.submit(form.body, '/write', {
      title: 'A balcony',
      text: 'It is the **east**.',
      tags: 'Verona, light',
      comments: 'on',
      action: 'publish',
    })
    assert.equal(answer.statusCode, 303, answer.body)
    const path = String(answer.headers.location)
    assert.match(path, /^\/@juliet\/a-balcony-[a-z0-9]{8}$/)
    const page = await site.browser().get(path)
    assert.equal(page.statusCode, 200, page.body)
    assert.match(page.body, /<strong>east<\/strong>/)
    for (const list of ['/', '/@juliet', '/tag/verona', '/@juliet/tag/Verona']) {
      assert.match((await site.browser().get(list)).body, /A balcony/, list)
    }
    const feed = await site.browser().get('/@juliet/atom.xml', { accept: '*/*' })
    assert.match(String(feed.headers['content-type']), /^application\/atom\+xml/)
    assert.match(feed.body, /<title>A balcony<\/title>/)
  })

  it('takes comments and removes them', async () => {
    await using site = await createTestSite()
    const author = await site.signedIn(juliet)
    const written = await author.submit((await author.get('/write')).body, '/write', {
      ...{ title: 'Ask me', text: 'Anything', comments: 'on', action: 'publish' },
    })
    const path = String(written.headers.location)
    const reader = await site.signedIn('romeo@montague.example')
    const sent = await reader.submit((await reader.get(path)).body, '/comments', { text: 'Wherefore?' })
    assert.equal(sent.statusCode, 303, sent.body)
    await until(async () => (await site.browser().get(path)).body.includes('Wherefore?'), { what: 'the comment' })
    const [removal] = /\/@juliet\/[^"]*\/remove/.exec((await author.get(path)).body) ?? ['']
    const question = await author.get(removal)
    assert.match(question.body, /Remove this comment\?/)
    await author.submit(question.body, '/remove', {})
    await until(async () => !(await site.browser().get(path)).body.includes('Wherefore?'), { what: 'the removal' })
  })
})
