import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { readDraft, writeComment, writeEntry } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { renderMarkdown } from '#shared/markup.ts'
import { NS } from '#shared/ns.ts'
import { createRepostDraft } from '#shared/write-repost.ts'
import { writeXml } from '#shared/xml.ts'
import { readWithLibervia } from '../support/libervia.ts'
import { readFixture } from './fixture.ts'

const juliet = { jid: readBareJid('juliet@capulet.example') as BareJid, name: 'Juliet' }
const service = readBareJid('pubsub.capulet.example') as BareJid
const now = new Date('2026-03-14T09:26:53Z')

function readItem(id: string, payload: string, node: string) {
  const item = `<item xmlns="${NS.PUBSUB}" id="${id}" publisher="${juliet.jid}">${payload}</item>`
  return readWithLibervia(item, service, node)
}

describe("Libervia's parser", () => {
  it('reads a comment of ours whole', async () => {
    const address = { service, node: `${NS.COMMENTS_PREFIX}hello`, item: asItemId('c1') }
    const text = 'Two\nlines, <angles> & 日本語 😀'
    const comment = writeComment({ text, address, author: juliet, published: now })
    const reading = await readItem('c1', writeXml(comment), address.node)
    assert.equal(reading.rejected, undefined)
    assert.equal(reading.content ?? reading.title, text)
    assert.equal(reading.author, 'Juliet')
    assert.equal(reading.author_jid_verified, true)
  })

  it('reads a short note of ours, and where its comments go', async () => {
    const address = { service: juliet.jid, node: NS.MICROBLOG, item: asItemId('ab12cd34') }
    const comments = { service, node: `${NS.COMMENTS_PREFIX}ab12cd34` }
    const draft = { title: '', text: 'Only *this*.', tags: [], language: 'ar', summary: '', comments: true }
    const atomId = createTagUri(juliet.jid, now, address.item)
    const entry = writeEntry({ draft, address, author: juliet, atomId, published: now, updated: now, comments })
    const reading = await readItem(address.item, writeXml(entry), address.node)
    assert.equal(reading.rejected, undefined)
    assert.equal(reading.title, 'Only this.')
    assert.equal(reading.content?.trim(), 'Only *this*.')
    assert.equal(reading.language, 'ar')
    assert.deepEqual(reading.comments?.[0]?.node, comments.node)
  })

  it('reads a repost of ours as its publisher’s, with the comments of its original', async () => {
    const romeo = readBareJid('romeo@montague.example') as BareJid
    const via = { service: romeo, node: NS.MICROBLOG, item: asItemId('cafe') }
    const comments = { service: romeo, node: `${NS.COMMENTS_PREFIX}cafe` }
    const draft = createRepostDraft({
      of: { via, atomId: 'tag:montague.example,2026:cafe', name: 'Romeo', comments },
      ...{ title: 'At the café', html: renderMarkdown('One *thing*'), tags: [], pictures: [] },
      ...{ url: 'https://montague.example/cafe', words: 'How true' },
    })
    const address = { service: juliet.jid, node: NS.MICROBLOG, item: asItemId('at-the-cafe-ab12cd34') }
    const atomId = createTagUri(juliet.jid, now, address.item)
    const entry = writeEntry({ draft, address, author: juliet, atomId, published: now, updated: now, comments })
    const reading = await readItem(address.item, writeXml(entry), address.node)
    assert.equal(reading.rejected, undefined)
    assert.equal(reading.title, 'At the café')
    assert.equal(reading.author_jid_verified, true)
    assert.deepEqual(reading.comments?.[0]?.node, comments.node)
  })

  it('reads our edit of a post of Movim', async () => {
    const original = readFixture('movim-post')
    const address = { service: juliet.jid, node: NS.MICROBLOG, item: asItemId('5f1c2e9a') }
    const entry = writeEntry({
      draft: readDraft(original),
      address,
      author: juliet,
      atomId: '',
      published: now,
      updated: now,
      original,
    })
    const reading = await readItem(address.item, writeXml(entry), address.node)
    assert.equal(reading.rejected, undefined)
    assert.equal(reading.title, 'Un dimanche à Vérone')
  })
})
