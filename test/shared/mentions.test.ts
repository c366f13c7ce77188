import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { readEntry, writeComment, writeEntry } from '#shared/entry.ts'
import type { BareJid } from '#shared/jid.ts'
import { renderMarkdown, sanitizeHtml, textToHtml } from '#shared/markup.ts'
import { findMentions, MOST_MENTIONS, readMentions, writeBodyMentions } from '#shared/mentions.ts'
import { parseXml, writeXml } from '#shared/xml.ts'
import { assertLinear } from '#test/support/growth.ts'

const link = (jid: string) => `href="xmpp:${jid}"`
const address = { service: 'juliet@capulet.example' as BareJid, node: 'n', item: asItemId('c1') }
const author = { jid: 'juliet@capulet.example' as BareJid, name: 'Juliet' }

describe('a mention', () => {
  it('is an address behind an @, in Markdown and in plain text', () => {
    for (const html of [renderMarkdown('Hi @romeo@montague.example.'), textToHtml('Hi @romeo@montague.example.')]) {
      assert.match(html, /<a [^>]*href="xmpp:romeo@montague\.example"[^>]*>@romeo@montague\.example<\/a>\.<\/p>/)
    }
    assert.match(renderMarkdown('(@romeo@montague.example)'), new RegExp(link('romeo@montague.example')))
    assert.match(renderMarkdown('@juliet@localhost: yes'), new RegExp(link('juliet@localhost')))
    assert.match(renderMarkdown('**@o_b_c@x.example**'), new RegExp(link('o_b_c@x.example')))
  })

  it('is no e-mail address, no code, no path and nothing within a link', () => {
    assert.doesNotMatch(renderMarkdown('mail romeo@montague.example'), /xmpp:/)
    assert.doesNotMatch(renderMarkdown('`@romeo@montague.example`'), /xmpp:/)
    assert.doesNotMatch(renderMarkdown('    @romeo@montague.example'), /xmpp:/)
    const web = 'https://blog.example/@romeo@montague.example/post'
    for (const html of [renderMarkdown(web), textToHtml(web)]) assert.doesNotMatch(html, /xmpp:/)
    const inLink = renderMarkdown('[see @romeo@montague.example](https://x.example/)')
    assert.doesNotMatch(inLink, /xmpp:/)
  })

  it('may have a name: a link to an account that begins with @', () => {
    const html = renderMarkdown('Thanks, [@Romeo](xmpp:romeo@montague.example) and [all](xmpp:nurse@capulet.example)')
    assert.deepEqual(findMentions(html), ['romeo@montague.example'])
  })

  it('is a link and a reference without offsets in an entry, and is read again, once for each person', () => {
    const text = '@romeo@montague.example, [@R](xmpp:romeo@montague.example) @nurse@capulet.example'
    const comment = writeComment({ text, address, author, published: new Date(0) })
    const xml = writeXml(comment)
    assert.equal(xml.match(/urn:xmpp:reference:0/g)?.length, 2)
    assert.match(xml, /<reference xmlns="urn:xmpp:reference:0" type="mention" uri="xmpp:romeo@montague\.example"\/>/)
    assert.match(xml, /<content type="xhtml">/)
    assert.deepEqual(readEntry(comment)?.mentions, ['romeo@montague.example', 'nurse@capulet.example'])
  })

  it('goes with the words when a post is edited', () => {
    const draft = { title: 'T', text: '@romeo@montague.example', tags: [], language: '', summary: '', comments: false }
    const parts = { draft, address, author, atomId: 'tag:x,1', published: new Date(0), updated: new Date(0) }
    const original = writeEntry(parts)
    const edited = writeEntry({ ...parts, original, draft: { ...draft, text: '@nurse@capulet.example' } })
    assert.deepEqual(readEntry(edited)?.mentions, ['nurse@capulet.example'])
  })

  it('tells nobody beyond the first twenty of a thousand, in time that grows with the text', () => {
    const text = Array.from({ length: 1_000 }, (_, n) => `@romeo${n}@montague.example`).join(' ')
    const comment = writeComment({ text, address, author, published: new Date(0) })
    assert.equal(readEntry(comment)?.mentions.length, MOST_MENTIONS)
    assert.equal(writeXml(comment).match(/urn:xmpp:reference:0/g)?.length, MOST_MENTIONS)
    const references = '<reference xmlns="urn:xmpp:reference:0" type="mention" uri="xmpp:a@b.example"/>'.repeat(10_000)
    const hostile = parseXml(`<entry xmlns="http://www.w3.org/2005/Atom">${references}</entry>`)
    assert.deepEqual(hostile && readMentions(hostile, undefined), ['a@b.example'])
  })

  it('leads to no node, no other scheme and nothing that is no address', () => {
    const reference = (uri: string) => `<reference xmlns="urn:xmpp:reference:0" type="mention" uri="${uri}"/>`
    const uris = ['xmpp:a@b?;node=n', 'https://a@b/', 'xmpp:', 'xmpp:pubsub.example', 'javascript:a@b']
    const entry = parseXml(`<entry xmlns="http://www.w3.org/2005/Atom">${uris.map(reference).join('')}</entry>`)
    assert.deepEqual(entry && readMentions(entry, undefined), [])
  })

  it('has its place in the body of a message, in code points', () => {
    const [first, second] = writeBodyMentions('👋 @romeo@montague.example and @nurse@capulet.example')
    assert.deepEqual([first?.attrs.begin, first?.attrs.end], ['2', '25'])
    assert.equal(second?.attrs.uri, 'xmpp:nurse@capulet.example')
  })
})

describe('reading mentions', () => {
  it('takes time that grows with the text alone', async () => {
    const write = (links: number) => sanitizeHtml(`<p>${'<a href="xmpp:a@b"><i></i></a>'.repeat(links)}x</p>`)
    const [short, long] = [write(800), write(8_000)]
    await assertLinear([800, 8_000], (links) => assert.deepEqual(findMentions(links === 800 ? short : long), []))
  })
})
