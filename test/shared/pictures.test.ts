import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { writeFeed, writeJsonFeed } from '#shared/atom.ts'
import { readDraft, readEntry, writeEntry } from '#shared/entry.ts'
import { renderMarkdown } from '#shared/markup.ts'
import { NS } from '#shared/ns.ts'
import { findProfile, findTemplate } from '#shared/profiles/index.ts'
import { writeXml } from '#shared/xml.ts'
import { jidOf } from '#test/support/context.ts'
import { parse, readFixture } from './fixture.ts'

const JULIET = jidOf('juliet@capulet.example')
const SUNSET = { href: 'https://upload.capulet.example/a/sunset.webp', type: 'image/webp', alt: 'The sun over Verona' }
const ROSE = { href: 'https://upload.capulet.example/b/rose.png', type: 'image/png', alt: 'A rose' }

function write(pictures: readonly (typeof ROSE)[] | undefined, original?: string) {
  const address = { service: jidOf('pubsub.capulet.example'), node: 'roses', item: asItemId('rose-12345678') }
  const at = new Date('2026-04-01T00:00:00Z')
  const draft = { title: 'Roses', text: '', tags: [], language: '', summary: '', comments: false, pictures }
  const parts = { draft, address, author: { jid: JULIET, name: 'Juliet' }, atomId: 'x', published: at, updated: at }
  return writeEntry({ ...parts, ...(original === undefined ? {} : { original: parse(original) }) })
}

function withLinks(links: string) {
  return `<entry xmlns="${NS.ATOM}"><title>a</title><updated>2026-01-01T00:00:00Z</updated>${links}</entry>`
}

describe('the pictures of an entry', () => {
  it('are its enclosures of types that browsers show, described by their titles', () => {
    const links = `<link rel="enclosure" type="image/png" href="${ROSE.href}" title="A rose"/>
      <link rel="enclosure" type="IMAGE/JPEG" href="https://a.example/1.jpg" title="IMG_2031.JPG"/>
      <link rel="enclosure" type="image/png" href="${ROSE.href}" title="The same again"/>
      <link rel="enclosure" type="image/svg+xml" href="https://a.example/x.svg" title="A drawing"/>
      <link rel="enclosure" type="image/png" href="xmpp:a@b.example" title="No address of a picture"/>
      <link rel="enclosure" href="https://a.example/untold.png"/>
      <link rel="related" type="image/png" href="https://a.example/other.png"/>`
    assert.deepEqual(readEntry(parse(withLinks(links)))?.pictures, [
      ROSE,
      { href: 'https://a.example/1.jpg', type: 'IMAGE/JPEG', alt: '' },
    ])
  })

  it('of Movim have the name of a file for a title, which describes nothing', () => {
    assert.deepEqual(readEntry(readFixture('movim-post'))?.pictures, [
      { href: 'https://upload.montague.example/a/balcony.jpg', type: 'image/jpeg', alt: '' },
    ])
  })

  it('are no more than a page can show', () => {
    const many = Array.from(
      { length: 90 },
      (_, n) => `<link rel="enclosure" type="image/png" href="https://a.b/${n}"/>`,
    )
    assert.equal(readEntry(parse(withLinks(many.join(''))))?.pictures.length, 50)
  })

  it('are written as XEP-0472 wants, and read back', () => {
    const payload = write([SUNSET, ROSE])
    assert.ok(writeXml(payload).includes(`<link rel="enclosure" href="${ROSE.href}" type="image/png" title="A rose"/>`))
    assert.deepEqual(readEntry(payload)?.pictures, [SUNSET, ROSE])
    assert.deepEqual(readDraft(payload).pictures, [SUNSET, ROSE])
  })

  it('are replaced by an edit that has some, which keeps what else a link says, and other files', () => {
    const links = `<link rel="enclosure" type="image/png" href="${ROSE.href}" title="old" length="120"/>
      <link rel="enclosure" type="image/webp" href="${SUNSET.href}"/>
      <link rel="enclosure" type="audio/ogg" href="https://a.example/song.ogg"/>`
    const edited = writeXml(write([ROSE], withLinks(links)))
    assert.match(edited, /type="image\/png"[^>]* title="A rose"[^>]*/)
    assert.match(edited, /length="120"/)
    assert.match(edited, /song\.ogg/)
    assert.doesNotMatch(edited, /sunset/)
  })

  it('stay as they are under an edit whose form has none', () => {
    const links = `<link rel="enclosure" type="image/png" href="${ROSE.href}" title="A rose"/>`
    assert.deepEqual(readEntry(write(undefined, withLinks(links)))?.pictures, [ROSE])
  })

  it('are enclosures and attachments of feeds', () => {
    const at = new Date('2026-04-01T00:00:00Z')
    const entry = {
      ...{ id: 'x', title: 'Roses', html: renderMarkdown('Red'), published: at, updated: at, tags: [] },
      ...{ author: { name: 'Juliet' }, alternate: 'https://blog.example/x' },
      enclosures: [{ href: ROSE.href, type: ROSE.type, title: ROSE.alt }],
    }
    const feed = {
      id: 'f',
      title: 'F',
      alternate: 'https://a.b/',
      self: 'https://a.b/f',
      updated: at,
      entries: [entry],
    }
    assert.ok(
      writeFeed(feed, at).includes(`<link rel="enclosure" type="image/png" title="A rose" href="${ROSE.href}"/>`),
    )
    const json = JSON.parse(writeJsonFeed(feed, at)) as { items: { attachments: object[] }[] }
    assert.deepEqual(json.items[0]?.attachments, [{ url: ROSE.href, mime_type: 'image/png', title: 'A rose' }])
  })
})

describe('the profile of a community', () => {
  it('is a gallery or a social feed by its announced type, and a social feed by its items', () => {
    assert.equal(findProfile({ type: NS.GALLERY, node: 'roses' })?.name, 'gallery')
    assert.equal(findProfile({ type: NS.SOCIAL_FEED, node: 'roses' })?.name, 'base')
    assert.equal(findProfile({ node: 'roses', payload: readFixture('libervia-post') })?.name, 'base')
  })

  it('reads a post without pictures in a gallery as a post', () => {
    assert.equal(
      findProfile({ type: NS.GALLERY, node: 'roses' })?.readEntry(readFixture('libervia-post'))?.pictures.length,
      0,
    )
  })

  it('has a template, and what a later Canto read is shown as a post', () => {
    assert.equal(findTemplate('gallery'), 'gallery')
    assert.equal(findTemplate('of tomorrow'), 'post')
  })
})
