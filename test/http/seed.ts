import { addAuthorRow } from '#server/store/author.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { asItemId } from '#shared/address.ts'
import { postPath } from '#shared/paths.ts'
import { jidOf } from '#test/support/context.ts'
import { commentsLink, type EntryWords, entryOf, JULIET, publishTo } from '../feeds/fixtures.ts'
import type { TestSite } from './test-site.ts'

const NODE = 'urn:xmpp:microblog:0'

/** Makes an account an author of the site, as `user add` does. */
export async function seedAuthor({ ctx }: TestSite, jid: string = JULIET): Promise<void> {
  const owner = jidOf(jid)
  await addAuthorRow(ctx.state, owner, ctx.clock())
  await addNode(ctx.index, { address: { service: owner, node: NODE }, kind: 'blog', owner, now: ctx.clock() })
  await updateNode(ctx.index, { service: owner, node: NODE }, { isWaiting: 0 })
}

/** Puts a post into the index, as if it came from the network; returns its path. */
export async function seedPost(
  { ctx }: TestSite,
  item: string,
  { jid = JULIET, publisher = jid, ...words }: EntryWords & { jid?: string; publisher?: string } = {},
): Promise<string> {
  const address = { service: jidOf(jid), node: NODE, item: asItemId(item) }
  const outcome = await publishTo(ctx, address, { payload: entryOf(words), publisher })
  if (outcome !== 'stored') throw new Error(`The post was ${outcome}`)
  return postPath({ domain: ctx.siteDomain }, address)
}

/** Puts a comment under a post of Juliet's that has a thread, as `seedThread` makes it. */
export async function seedComment(
  { ctx }: TestSite,
  item: string,
  { from, thread, ...words }: EntryWords & { from: string; thread: string },
): Promise<void> {
  const address = { service: JULIET, node: thread, item: asItemId(item) }
  const outcome = await publishTo(ctx, address, { payload: entryOf({ author: from, ...words }), publisher: from })
  if (outcome !== 'stored') throw new Error(`The comment was ${outcome}`)
}

/** A post with comments; returns its path and the node of its comments. */
export async function seedThread(site: TestSite, item: string): Promise<{ path: string; thread: string }> {
  const thread = `urn:xmpp:microblog:0:comments/${item}`
  const path = await seedPost(site, item, { more: commentsLink({ service: JULIET, node: thread }) })
  return { path, thread }
}
