import { readXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { blogPath } from '#shared/paths.ts'
import { escapeXml } from '#shared/text.ts'
import type { AppContext } from './context.ts'
import { isSiteAuthor } from './places.ts'

const MENTION = /<a\b([^>]*)\bhref="(xmpp:[^"?]+@[^"?]+)"([^>]*)>(?=@)/g
/** Of one page: who else is on it keeps the `xmpp:` address. */
const MOST = 100

/** Mentions of the site's own authors lead to their blogs, which a browser can show. */
export async function linkMentions(
  ctx: Pick<AppContext, 'config' | 'state' | 'siteDomain'>,
  html: string,
): Promise<string> {
  const paths = new Map<string, string>()
  for (const [, , uri = ''] of html.matchAll(MENTION)) {
    if (paths.has(uri) || paths.size >= MOST) continue
    const jid = readXmppUri(uri)?.service
    paths.set(uri, jid === undefined ? uri : await pathOf(ctx, jid, uri))
  }
  if (paths.size === 0) return html
  return html.replace(MENTION, (_, before: string, uri: string, after: string) => {
    return `<a${before}href="${paths.get(uri) ?? uri}"${after}>`
  })
}

async function pathOf(ctx: Parameters<typeof linkMentions>[0], jid: BareJid, uri: string): Promise<string> {
  return (await isSiteAuthor(ctx, jid)) ? escapeXml(blogPath({ domain: ctx.siteDomain }, jid)) : uri
}
