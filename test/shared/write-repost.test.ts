import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { type PostDraft, readEntry, writeEntry } from '#shared/entry.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { renderMarkdown } from '#shared/markup.ts'
import { NS } from '#shared/ns.ts'
import { createRepostDraft, type RepostOf, writeQuote } from '#shared/write-repost.ts'

const juliet = readBareJid('juliet@capulet.example') as BareJid
const romeo = readBareJid('romeo@montague.example') as BareJid
const via = { service: romeo, node: NS.MICROBLOG, item: asItemId('cafe') }

function shared(of: Partial<RepostOf>, words = '', markdown = 'One\n\n\n```\na\n\nb\n```'): PostDraft {
  const html = renderMarkdown(markdown)
  const url = 'https://montague.example/?a=<b>&c=(d'
  return createRepostDraft({ of: { via, ...of }, title: 'At the café', html, tags: [], pictures: [], url, words })
}

function published(draft: PostDraft) {
  const address = { service: juliet, node: NS.MICROBLOG, item: asItemId('shared') }
  const published = new Date('2026-11-22T12:00:00Z')
  const author = { jid: juliet, name: 'Juliet' }
  return readEntry(writeEntry({ draft, address, author, atomId: 'x', published, updated: published }))
}

describe('a repost on the wire', () => {
  it('has all of the original below a line that says whose it is', () => {
    const entry = published(shared({ name: 'Romeo' }))
    assert.match(entry?.html ?? '', /^<p>Shared from <a [^>]*>Romeo<\/a>:<\/p><div>\s*<p>One<\/p>.*a\n\nb/s)
    assert.match(entry?.html ?? '', /href="https:\/\/montague\.example\/\?a=%3Cb%3E&amp;c=\(d"/)
  })

  it('is not led astray by what an author is called', () => {
    for (const name of ['comments', '](https://evil.example) [', '<b>x</b>', '*', '`', '@mallory@evil.example', '\\']) {
      const entry = published(shared({ name }))
      assert.match(entry?.html ?? '', /^<p>Shared from <a href="https:\/\/montague/, name)
      assert.equal(entry?.comments, undefined, name)
      assert.deepEqual(entry?.via?.address, via, name)
      assert.deepEqual(entry?.mentions, [], name)
    }
  })

  it('quotes the original where there are words of one’s own, which come after it', () => {
    const { html = '' } = published(shared({}, 'So *true*.')) ?? {}
    assert.match(html, /^<p>Shared from <a [^>]*>another blog<\/a>:<\/p><blockquote>.*<\/blockquote><p>So <em>true/s)
  })
})

describe('a quotation', () => {
  it('is the text as it is, whatever Markdown would make of it, and not all of a long one', () => {
    const text = `# 1. *One* <b>\n- two\n${'word '.repeat(1_000)}`
    const quote = writeQuote({ text, title: 'A [title]', name: 'Romeo', url: 'https://montague.example/' })
    const html = renderMarkdown(quote)
    assert.match(html, /^<blockquote><p># 1\. \*One\* &lt;b&gt;<\/p><p>- two<\/p><p>word .* word …<\/p>/s)
    assert.match(html, /<p>— Romeo: <a href="https:\/\/montague\.example\/">A \[title\]<\/a><\/p><\/blockquote>$/)
    assert.ok(html.length < 2_000)
  })
})
