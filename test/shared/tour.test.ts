import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { type Feed, writeFeed } from '#shared/atom.ts'
import { idPrefix } from '#shared/content.ts'
import { readDraft, readEntry, writeEntry } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { renderMarkdown } from '#shared/markup.ts'
import { NS } from '#shared/ns.ts'
import { isElement, writeXml } from '#shared/xml.ts'
import { readWithLibervia } from '../support/libervia.ts'
import { parse } from './fixture.ts'
import { outline } from './outline.ts'

const TOUR = readFileSync(new URL('../fixtures/tour.md', import.meta.url), 'utf8')
const juliet = { jid: readBareJid('juliet@capulet.example') as BareJid, name: 'Juliet' }
const address = { service: juliet.jid, node: NS.MICROBLOG, item: asItemId('a-tour-ab12cd34') }
const now = new Date('2026-03-14T09:26:53Z')
const atomId = createTagUri(juliet.jid, now, address.item)
const alternate = 'https://capulet.example/@juliet/a-tour-ab12cd34'
const draft = { title: 'A tour', text: TOUR, tags: ['tour', '日本'], language: 'en', summary: '', comments: false }
const wire = writeXml(writeEntry({ draft, address, author: juliet, atomId, published: now, updated: now, alternate }))
const page = readEntry(parse(wire))?.html ?? assert.fail('the tour is an entry')

describe('a tour of Markdown', () => {
  it('has all that it promises', () => {
    const { elements, text } = outline(page)
    const all = [
      ...[
        'h2',
        'p',
        'em',
        'strong',
        'del',
        'code',
        'br',
        'a',
        'ul',
        'ol',
        'li',
        'blockquote',
        'pre',
        'table',
        'th',
        'td',
      ],
      ...['sup', 'section', 'img', 'sub', 'abbr', 'mark', 'kbd', 'details', 'summary', 'hr'],
    ]
    for (const name of all) assert.ok(elements.includes(name), name)
    assert.match(text, /日本語の段落です。強調も働きます。/)
    assert.match(text, /هذه فقرة بالعربية، من اليمين إلى اليسار\./)
    assert.match(text, /👩‍👩‍👧‍👦 🏳️‍🌈 ☕ and a flag 🇮🇹/)
    assert.match(text, /Spaces between inline tags stay where they are\./)
    assert.doesNotMatch(page, /<script|onclick|style=|iframe|evil/)
    assert.match(page, /<p dir="rtl" lang="ar">/)
  })

  it('has the same elements, order and text as preview and as page', () => {
    assert.equal(renderMarkdown(TOUR, { idPrefix: idPrefix(atomId), base: alternate }), page)
  })

  it('has the same elements, order and text in a feed', () => {
    const entry = {
      id: atomId,
      title: 'A tour',
      html: page,
      published: now,
      updated: now,
      author: juliet,
      tags: [],
      alternate,
    }
    const feed: Feed = { id: 'xmpp:a', title: 'F', alternate, self: alternate, updated: now, entries: [entry] }
    const [, content = ''] =
      /<content type="xhtml"><div[^>]*>([\s\S]*)<\/div><\/content>/.exec(writeFeed(feed, now)) ?? []
    assert.deepEqual(outline(content), outline(page))
  })

  it('has the same elements, order and text on the wire, also where Movim has parsed it', () => {
    const asMovim = wire.replace(/>[ \t\n\r\f\v]+</g, '><')
    for (const xml of [wire, asMovim]) {
      const xhtml = parse(xml)
        .children.filter(isElement)
        .find(({ attrs }) => attrs.type === 'xhtml')
      assert.ok(xhtml !== undefined)
      const [, inner = ''] = /^<content[^>]*><div[^>]*>([\s\S]*)<\/div><\/content>$/.exec(writeXml(xhtml)) ?? []
      assert.deepEqual(outline(inner), outline(page))
      assert.equal(readEntry(parse(xml))?.html, page)
      assert.equal(readDraft(parse(xml)).text, TOUR)
    }
  })

  it('has no apostrophe in an attribute on the wire', () => assert.doesNotMatch(wire, /="[^"]*'[^"]*"/))

  it("is kept whole by Libervia's parser", async () => {
    const item = `<item xmlns="http://jabber.org/protocol/pubsub" id="${address.item}" publisher="${juliet.jid}">${wire}</item>`
    const reading = await readWithLibervia(item, juliet.jid, NS.MICROBLOG)
    assert.equal(reading.rejected, undefined)
    assert.equal(reading.title, 'A tour')
    assert.equal(reading.content?.trim(), TOUR.trim())
    assert.deepEqual(reading.tags, draft.tags)
    assert.equal(reading.author_jid_verified, true)
    const [, inner = ''] = /^<div[^>]*>([\s\S]*)<\/div>$/.exec(reading.content_xhtml ?? '') ?? []
    assert.deepEqual(outline(inner), outline(page))
  })
})
