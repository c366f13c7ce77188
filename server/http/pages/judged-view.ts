import type { Decision } from '#server/store/decision.ts'
import type { JudgedEntry } from '#server/store/judged-entry.ts'
import { type ItemAddress, type ItemId, writeXmppUri } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import { sayAddress } from '#shared/look-alike.ts'
import { escapeText, sanitizeHtml } from '#shared/markup.ts'
import { postPath } from '#shared/paths.ts'
import { comments } from '#shared/profiles/index.ts'
import { cleanLine } from '#shared/text.ts'
import { parseXml } from '#shared/xml.ts'
import type { JudgedView } from '#web/views.ts'
import type { Web } from '../web.ts'
import { forPage, forPreview, MOST_COMMENT_PICTURES } from './post-view.ts'

export interface Judged {
  readonly address: ItemAddress
  readonly post: ItemAddress
  readonly entry?: JudgedEntry
  readonly decision?: Decision
  /** Who looks at it. */
  readonly viewer: BareJid
  /** Of the posts that are shown. */
  readonly titles: ReadonlyMap<ItemId, string>
}

/** Something said under a post, as it is in the index, or as the kept copy has it. */
export function viewJudged(web: Web, { address, post, entry, decision, viewer, titles }: Judged): JudgedView {
  const who = decision?.author ?? entry?.contributor ?? entry?.publisher ?? entry?.author
  const said = entry ?? readCopy(decision)
  const title = titles.get(post.item)
  const html = said?.html ?? sanitizeHtml(`<p>${escapeText(said?.title ?? '')}</p>`)
  const mayBlock = who !== undefined && who !== viewer
  return {
    uri: writeXmppUri(address),
    blog: writeXmppUri({ service: post.service, node: post.node }),
    name: nameOf(said, who),
    ...(mayBlock && { jid: sayAddress(who) }),
    ...(mayBlock && mayBlockServer(web, who, viewer) && { server: sayAddress(domainOf(who)) }),
    html: forPage(forPreview(web), html, MOST_COMMENT_PICTURES),
    language: said?.language,
    published: (said?.published ?? decision?.at ?? new Date(0)).toISOString(),
    ...(decision?.what === 'held' && { why: decision.reason }),
    ...(title !== undefined && { post: { title, url: postPath({ domain: web.ctx.siteDomain }, post) } }),
  }
}

/** Not everybody of one's own server, nor of the site's. */
function mayBlockServer({ ctx }: Web, who: BareJid, viewer: BareJid): boolean {
  const server = domainOf(who)
  return localPart(who) !== undefined && server !== domainOf(viewer) && server !== ctx.siteDomain
}

type Said = Pick<JudgedEntry, 'language' | 'published' | 'title' | 'claimedName' | 'name'> & {
  readonly html?: JudgedEntry['html'] | undefined
}

/** What is off the node is read again from the copy that was kept. */
function readCopy(decision: Decision | undefined): Said | undefined {
  const payload = decision?.payload === undefined ? undefined : parseXml(decision.payload)
  const entry = payload && comments.readEntry(payload)
  if (entry === undefined || decision === undefined) return undefined
  const { html, title, language, author } = entry
  return { html, title, language, claimedName: author.name, published: entry.published ?? decision.at }
}

function nameOf(said: Said | undefined, who: BareJid | undefined): string {
  const name = said?.name ?? said?.claimedName
  if (name !== undefined) return cleanLine(name, 100)
  return who === undefined ? 'Somebody' : sayAddress(who)
}
