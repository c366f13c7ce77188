import { type ItemAddress, writeXmppUri } from './address.ts'
import { writeDate } from './dates.ts'
import { isOwnTagUri } from './item-id.ts'
import type { BareJid } from './jid.ts'
import { absoluteLinks, type SafeHtml } from './markup.ts'
import { NS } from './ns.ts'
import { cleanLine, escapeXml } from './text.ts'

/** Who wrote a feed or an entry, as far as known. */
export interface FeedAuthor {
  readonly name: string
  readonly jid?: BareJid
}

/** A feed or one page of it. All addresses are absolute. */
export interface Feed {
  readonly id: string
  readonly title: string
  readonly subtitle?: string
  /** The page on the web. */
  readonly alternate: string
  /** The node itself, where the feed is of one. */
  readonly xmppUri?: string
  readonly self: string
  /** Paged feeds, RFC 5005 §3. */
  readonly first?: string
  readonly previous?: string
  readonly next?: string
  readonly last?: string
  readonly updated: Date
  readonly author?: FeedAuthor
  readonly language?: string
  readonly icon?: string
  /** A style sheet, so that a person who opens the feed can read it. */
  readonly stylesheet?: string
  readonly entries: readonly FeedEntry[]
}

/** An entry of a feed; only credited ones belong in it. */
export interface FeedEntry {
  /** From `feedEntryId`. */
  readonly id: string
  readonly title: string
  readonly html: SafeHtml
  readonly summary?: string
  readonly published: Date
  readonly updated: Date
  readonly author: FeedAuthor
  readonly tags: readonly string[]
  readonly language?: string
  /** The page on the web. */
  readonly alternate: string
  readonly xmppUri?: string
  /** Of a repost: its original, on the web where it is there. */
  readonly via?: string
  readonly enclosures?: readonly { readonly href: string; readonly type: string; readonly title: string }[]
  /** `feed`: where everybody may read them. */
  readonly comments?: { readonly page: string; readonly feed?: string; readonly count: number }
  /** Of a comment (RFC 4685 §3): the id of what it answers, and its page on the web. */
  readonly inReplyTo?: { readonly ref: string; readonly href: string }
}

/**
 * The id of an entry in our feeds: its own if it is the `tag:` of this very author and item, else its `xmpp:` URI, for
 * a foreign id may be no IRI, or another's.
 */
export function feedEntryId(address: ItemAddress, author?: BareJid, atomId?: string): string {
  const isOwn = author !== undefined && atomId !== undefined && isOwnTagUri(atomId, author, address.item)
  return isOwn ? atomId : writeXmppUri(address)
}

/** Writes a feed as Atom (RFC 4287), paged (RFC 5005): one whole `content` an entry, no date after `now`. */
export function writeFeed(feed: Feed, now: Date): string {
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    feed.stylesheet === undefined ? '' : `<?xml-stylesheet type="text/css" href="${escapeXml(feed.stylesheet)}"?>`,
    `<feed xmlns="${NS.ATOM}" xmlns:thr="${NS.THREAD}"${writeLanguage(feed.language)}>`,
    element('title', cleanLine(feed.title, 300)),
    feed.subtitle === undefined ? '' : element('subtitle', feed.subtitle),
    element('id', feed.id),
    element('updated', writeDate(earlier(feed.updated, now))),
    feed.author === undefined ? '' : writeAuthor(feed.author),
    feed.icon === undefined ? '' : element('icon', feed.icon),
    link({ rel: 'self', type: 'application/atom+xml', href: feed.self }),
    link({ rel: 'alternate', type: 'text/html', href: feed.alternate }),
    // Not a second alternate: common readers take the last one for the web page.
    link({ rel: 'via', href: feed.xmppUri }),
    ...(['first', 'previous', 'next', 'last'] as const).map((rel) =>
      link({ rel, type: 'application/atom+xml', href: feed[rel] }),
    ),
    '<generator>Canto</generator>',
    ...feed.entries.map((entry) => writeFeedEntry(entry, now)),
    '</feed>',
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

/** Writes the same as JSON Feed 1.1. */
export function writeJsonFeed(feed: Feed, now: Date): string {
  return JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: cleanLine(feed.title, 300),
    description: feed.subtitle,
    home_page_url: feed.alternate,
    feed_url: feed.self,
    next_url: feed.next,
    icon: feed.icon,
    language: feed.language,
    authors: feed.author === undefined ? undefined : [jsonAuthor(feed.author)],
    items: feed.entries.map((entry) => ({
      id: entry.id,
      url: entry.alternate,
      title: entry.title,
      content_html: absoluteLinks(entry.html, entry.alternate),
      summary: entry.summary,
      date_published: writeDate(earlier(entry.published, now)),
      date_modified: writeDate(earlier(entry.updated, now)),
      authors: [jsonAuthor(entry.author)],
      tags: entry.tags,
      attachments: entry.enclosures?.map(({ href, type, title }) => ({
        url: href,
        mime_type: type,
        title: title || undefined,
      })),
      language: entry.language,
    })),
  })
}

function writeFeedEntry(entry: FeedEntry, now: Date): string {
  const { comments, inReplyTo } = entry
  const published = earlier(entry.published, now)
  const updated = earlier(later(entry.updated, published), now)
  const lines = [
    `<entry${writeLanguage(entry.language)}>`,
    element('title', cleanLine(entry.title, 300)),
    element('id', entry.id),
    element('published', writeDate(published)),
    element('updated', writeDate(updated)),
    writeAuthor(entry.author),
    ...entry.tags.map((tag) => `<category term="${escapeXml(tag)}"/>`),
    link({ rel: 'alternate', type: 'text/html', href: entry.alternate }),
    link({ rel: 'via', href: entry.xmppUri }),
    link({ rel: 'via', href: entry.via }),
    inReplyTo === undefined
      ? ''
      : `<thr:in-reply-to ref="${escapeXml(inReplyTo.ref)}" type="text/html" href="${escapeXml(inReplyTo.href)}"/>`,
    ...(entry.enclosures ?? []).map(({ href, type, title }) =>
      link({ rel: 'enclosure', type, title: title || undefined, href }),
    ),
    comments === undefined ? '' : link({ rel: 'replies', type: 'text/html', href: comments.page }),
    comments === undefined
      ? ''
      : link({
          rel: 'replies',
          type: 'application/atom+xml',
          href: comments.feed,
          'thr:count': String(comments.count),
        }),
    entry.summary === undefined || entry.summary === '' ? '' : element('summary', entry.summary),
    `<content type="xhtml"><div xmlns="${NS.XHTML}">${absoluteLinks(entry.html, entry.alternate)}</div></content>`,
    '</entry>',
  ]
  return lines.filter((line) => line !== '').join('\n')
}

function writeAuthor({ name, jid }: FeedAuthor): string {
  const uri = jid === undefined ? '' : element('uri', writeXmppUri({ service: jid }))
  return `<author>${element('name', cleanLine(name, 200) || jid || '?')}${uri}</author>`
}

function jsonAuthor({ name, jid }: FeedAuthor) {
  return { name, url: jid === undefined ? undefined : writeXmppUri({ service: jid }) }
}

function element(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`
}

function link(attrs: Readonly<Record<string, string | undefined>>): string {
  if (attrs.href === undefined) return ''
  const known = Object.entries(attrs).filter(([, value]) => value !== undefined)
  return `<link${known.map(([name, value]) => ` ${name}="${escapeXml(value ?? '')}"`).join('')}/>`
}

function writeLanguage(language: string | undefined): string {
  return language === undefined || language === '' ? '' : ` xml:lang="${escapeXml(language)}"`
}

function later(a: Date, b: Date): Date {
  return new Date(Math.max(a.getTime(), b.getTime()))
}

function earlier(date: Date, now: Date): Date {
  return new Date(Math.min(date.getTime(), now.getTime()))
}
