import { listAuthorRows } from '#server/store/author.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { addNode, deleteNode, dropOrphanThreads, listBlogNodes } from '#server/store/node.ts'
import { blogOf } from './blog-of.ts'
import { type Live, NODES_TOPIC } from './live.ts'

export interface KnownAuthorsDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
}

/** Makes the index know the blogs of the site's authors and nobody else's: it may have been told by another process. */
export async function knowAuthors({ index, state, live, clock }: KnownAuthorsDeps): Promise<void> {
  const authors = new Set((await listAuthorRows(state)).map(({ jid }) => jid))
  for (const jid of authors) await addNode(index, { address: blogOf(jid), kind: 'blog', owner: jid, now: clock() })
  for (const { address, owner } of await listBlogNodes(index)) {
    if (owner !== undefined && authors.has(owner)) continue
    const threads = await index.transaction().execute(async (transaction) => {
      await deleteNode(transaction, address)
      return dropOrphanThreads(transaction)
    })
    for (const dropped of [address, ...threads]) live.publish(NODES_TOPIC, { kind: 'node-dropped', address: dropped })
  }
}
