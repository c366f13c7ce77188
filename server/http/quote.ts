import { requireOpenNode } from '#server/feeds/sharing/queue-repost.ts'
import type { Person } from '#server/people/people.ts'
import { readXmppUri } from '#shared/address.ts'
import { plainText } from '#shared/markup.ts'
import { postPath } from '#shared/paths.ts'
import { writeQuote } from '#shared/write-repost.ts'
import type { AppContext } from './context.ts'
import { requirePost } from './shown.ts'

/** What a new post begins with that quotes another, by the `xmpp:` address of that. */
export async function readQuote(ctx: AppContext, uri: string | undefined, person: Person): Promise<string | undefined> {
  const { service, node, item } = readXmppUri(uri ?? '') ?? {}
  if (service === undefined || node === undefined || item === undefined) return undefined
  const post = await requirePost(ctx, { service, node, item }, person)
  await requireOpenNode(ctx.index, post.address)
  const page = new URL(postPath({ domain: ctx.siteDomain }, post.address), ctx.config.url).href
  return writeQuote({
    text: plainText(post.html, { withoutNotes: true }),
    title: post.title,
    name: post.author?.name ?? post.claimedName,
    url: post.alternate ?? page,
  })
}
