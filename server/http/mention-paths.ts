import type { BareJid } from '#shared/jid.ts'
import type { MentionMark } from '#shared/mentions.ts'
import { blogPath } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { isSiteAuthor } from './places.ts'

/** The blog of somebody who is mentioned, where it is one of the site's: a browser can show it. */
export type MentionPath = (jid: BareJid) => string | undefined

/** People who are looked up for one page: mentions of more keep their `xmpp:` address. */
const MOST = 100

/** For the texts of one page. */
export async function readMentionPaths(
  ctx: Pick<AppContext, 'config' | 'state' | 'siteDomain'>,
  texts: readonly { readonly marks: readonly MentionMark[] }[],
): Promise<MentionPath> {
  const paths = new Map<BareJid, string>()
  const people = new Set(texts.flatMap(({ marks }) => marks.map(({ jid }) => jid)))
  for (const jid of [...people].slice(0, MOST)) {
    if (await isSiteAuthor(ctx, jid)) paths.set(jid, blogPath({ domain: ctx.siteDomain }, jid))
  }
  return (jid) => paths.get(jid)
}
