import { Parser } from 'htmlparser2'
import { AppError, isAppError } from '#server/errors.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { type NodeAddress, readXmppUri, type XmppAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { readBlogSegment } from '#shared/paths.ts'
import { type Fetched, type FetchLimits, fetchBounded } from './bounded-fetch.ts'
import { type FeedParams, readFeedParams } from './places.ts'
import { readTypedAddress } from './read-address.ts'

export interface DiscoverDeps {
  /** Our own pages are not asked over the web. */
  readonly site: { readonly url: URL; readonly domain: BareJid }
  readonly isAllowed: FetchLimits['isAllowed']
  /** Why an account or a service cannot be reached from here, if so. */
  readonly explainReach?: (jid: BareJid) => string | undefined
}

export interface Discovered {
  readonly address: NodeAddress
  /** Its Atom feed, where a page named one. */
  readonly feedUrl?: string
}

const PAGE_BYTES = 512 * 1024
/** For a page and its feed together. */
const TIMEOUT_MS = 10_000
const ACCEPT = 'text/html, application/xhtml+xml, application/atom+xml;q=0.9, */*;q=0.1'
const FEED_TYPE = /^application\/(?:atom|rss)\+xml\b/i

/** The node of an address in any form, XMPP or web. Rejects with an AppError that says what to do. */
export async function discover(deps: DiscoverDeps, typed: string): Promise<Discovered> {
  const read = readTypedAddress(typed)
  if (read.kind === 'node') return { address: read.address }
  const own = readOwnPage(deps, read.url)
  if (own !== undefined) return { address: own }
  const started = performance.now()
  const page = await fetchPage(deps, read.url, TIMEOUT_MS)
  const links = readLinks(page)
  if (links.address !== undefined) return { address: links.address, ...(links.feedUrl && { feedUrl: links.feedUrl }) }
  const left = TIMEOUT_MS - (performance.now() - started)
  // A page may leave it to its feed to say where it is on XMPP.
  if (links.feedUrl !== undefined && left > 0) {
    const { address } = readLinks(await fetchPage(deps, links.feedUrl, left))
    if (address !== undefined) return { address, feedUrl: links.feedUrl }
  }
  throw new AppError(
    'not-found',
    `${page.url.host} does not say where this blog is on XMPP. Ask its author for the XMPP address.`,
  )
}

/** The feed of one of our own pages. */
function readOwnPage({ site }: DiscoverDeps, address: string): NodeAddress | undefined {
  const url = URL.parse(address)
  if (url?.origin !== site.url.origin) return undefined
  const [first = '', service, node] = url.pathname.split('/').filter(Boolean).map(decode)
  const params: FeedParams | undefined = first.startsWith('@')
    ? { blog: first.slice(1) }
    : first === 'c' && node !== undefined
      ? { service, node }
      : undefined
  if (params?.blog !== undefined && readBlogSegment({ domain: site.domain }, first) === undefined) return undefined
  return params && readFeedParams({ siteDomain: site.domain }, params)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function fetchPage({ isAllowed }: DiscoverDeps, url: string, timeoutMs: number): Promise<Fetched> {
  try {
    const limits = { isAllowed, maxBytes: PAGE_BYTES, timeoutMs }
    return await fetchBounded(url, limits, { what: 'page', accept: ACCEPT, mayCut: true })
  } catch (error) {
    if (!isAppError(error)) throw error
    throw new AppError(error.code, `${error.message} Look at the address, or write the XMPP address of the blog.`, {
      cause: error,
    })
  }
}

interface Links {
  readonly address?: NodeAddress
  readonly feedUrl?: string
}

/** The links of an HTML page's head, or of an Atom feed itself and not of its entries. */
export function readLinks({ url, bytes }: Fetched): Links {
  let address: NodeAddress | undefined
  let feedUrl: string | undefined
  let isOver = false
  const parser = new Parser({
    onopentag(prefixed, { rel = '', href = '', type = '' }) {
      const name = prefixed.slice(prefixed.indexOf(':') + 1)
      if (name === 'body' || name === 'entry' || name === 'item') isOver = true
      if (isOver || name !== 'link') return
      const rels = rel.toLowerCase().split(/\s+/)
      if (/^\s*xmpp:/i.test(href)) {
        // A feed's links without `rel` are alternates (RFC 4287 §4.2.7.2).
        if (rels.some((word) => ['', 'alternate', 'via', 'self'].includes(word))) address ??= feedOf(readXmppUri(href))
      } else if (rels.includes('alternate') && FEED_TYPE.test(type)) {
        const found = URL.parse(href, url)
        if (found !== null && /^https?:$/.test(found.protocol)) feedUrl ??= found.href
      }
    },
  })
  // In pieces, so that a page is not read further than its head.
  const text = bytes.toString('utf8')
  for (let at = 0; at < text.length && !isOver; at += 16_384) parser.write(text.slice(at, at + 16_384))
  return { ...(address && { address }), ...(feedUrl && { feedUrl }) }
}

function feedOf(uri: XmppAddress | undefined): NodeAddress | undefined {
  if (uri === undefined) return undefined
  if (uri.node !== undefined) return { service: uri.service, node: uri.node }
  return localPart(uri.service) === undefined ? undefined : blogOf(uri.service)
}
