import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readCpuTime } from '#test/support/cpu-time.ts'
import { JULIET } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

/** Characters. */
const LENGTH = 100_000

const COSTLY: Readonly<Record<string, string>> = {
  'an address of a hundred thousand @': link(`xmpp:${'@'.repeat(LENGTH)}`, '@'),
  'such an address that mentions nobody': link(`xmpp:${'@'.repeat(LENGTH)}`, 'x'),
  'addresses as long as may be that mention nobody': repeat(link(`xmpp:${'@'.repeat(4_000)}`, 'x')),
  'addresses as long as may be': repeat(link(`xmpp:${'@'.repeat(4_000)}`, '@')),
  'thousands of mentions': repeat(link(`xmpp:${JULIET}`, '@Juliet')),
  'links that mention nobody': repeat(link(`xmpp:${JULIET}`, '<i></i>')),
  'a title full of what begins a link': `<a title="${'&lt;a href=&quot;xmpp:a@'.repeat(4_000)}" href="xmpp:${JULIET}">@</a>`,
}

it('costs a page no more for a comment made to cost than for an ordinary one of that size', async () => {
  await using site = await createTestSite()
  await seedAuthor(site)
  const words = repeat(`<p>${'Parting is such sweet sorrow. '.repeat(8)}</p>`)
  // The first page of all also compiles its templates.
  await timePage(site, 'first', words)
  const ordinary = await timePage(site, 'ordinary', words)
  for (const [name, html] of Object.entries(COSTLY)) {
    const time = await timePage(site, `costly-${Object.keys(COSTLY).indexOf(name)}`, html)
    // Tags take some more than words; what grew with their square took a thousand times as long.
    assert.ok(time < ordinary * 10, `${name}: ${time} ms, an ordinary page ${ordinary} ms`)
  }
})

async function timePage(site: TestSite, item: string, html: string): Promise<number> {
  const { path, thread } = await seedThread(site, item)
  const xhtml = `<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>${html}</div></content>`
  await seedComment(site, `${item}-comment`, { from: `${item}@montague.example`, thread, text: '', more: xhtml })
  const times: number[] = []
  for (let run = 0; run < 4; run++) {
    const start = readCpuTime()
    const { statusCode, body } = await site.browser().get(path)
    times.push(readCpuTime() - start)
    assert.equal(statusCode, 200)
    assert.match(body, /class="comment /)
  }
  return Math.min(...times)
}

function link(href: string, words: string): string {
  return `<a href="${href}">${words}</a>`
}

function repeat(piece: string): string {
  return piece.repeat(Math.ceil(LENGTH / piece.length))
}
