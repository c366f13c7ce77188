import { listAuthorRows } from '#server/store/author.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { listFollows } from '#server/store/follow.ts'
import { addNode, deleteNode, dropOrphanThreads, listBlogNodes } from '#server/store/node.ts'
import { blogOf } from './blog-of.ts'
import { type Live, NODES_TOPIC } from './live.ts'

export interface KnownBlogsDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
}

/** Makes the index know the site's blogs, those it follows, and no other: another process may have changed which. */
export async function knowBlogs({ index, state, live, clock }: KnownBlogsDeps): Promise<void> {
  const authors = (await listAuthorRows(state)).map(({ jid }) => jid)
  const known = new Set([...authors, ...(await listFollows(state))])
  for (const jid of known) await addNode(index, { address: blogOf(jid), kind: 'blog', owner: jid, now: clock() })
  for (const { address, owner } of await listBlogNodes(index)) {
    if (owner !== undefined && known.has(owner)) continue
    const threads = await index.transaction().execute(async (transaction) => {
      await deleteNode(transaction, address)
      return dropOrphanThreads(transaction)
    })
    for (const dropped of [address, ...threads]) live.publish(NODES_TOPIC, { kind: 'node-dropped', address: dropped })
  }
}
