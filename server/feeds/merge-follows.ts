import { isAppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import { deleteFollow, listFollows, updateFollow } from '#server/store/follow.ts'
import { listOutboxOf } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type FollowDeps, followNodes, followRowAddress, mayFollow, queueFollow, type Wish } from './follow.ts'
import { MOST_FOLLOWS, readFollowList } from './follow-list.ts'
import { knowBlogs } from './known-blogs.ts'

/**
 * Takes over what other clients changed in the list on a person's own account. What waits in the outbox wins, and so
 * does what was done here while the list was read.
 */
export async function mergeFollows(deps: FollowDeps, session: XmppSession): Promise<void> {
  const { jid } = session
  const since = deps.clock()
  const list = await readFollowList(session.pubsub, jid)
  const listed = new Map<string, Wish>()
  for (const { address, title } of list?.items ?? []) {
    if (mayFollow(address)) listed.set(addressKey(address), { address, title, isListed: true })
  }
  const mayTouch = async (address: NodeAddress) => !(await isOurs(deps.state, { jid, address, since }))
  const known = new Map<string, NodeAddress>()
  for (const follow of await listFollows(deps.state, jid)) {
    const key = addressKey(follow.address)
    known.set(key, follow.address)
    const isThere = listed.has(key)
    // A list that is gone as a whole was lost, not emptied: it is written again.
    const isTakenOff = follow.isListed && !isThere && list?.isComplete === true
    const isToDo = !isThere || follow.subscription === 'none' || follow.subscription === 'refused'
    if (!isTakenOff && !isToDo && follow.isListed) continue
    if (!(await mayTouch(follow.address))) continue
    if (isTakenOff) {
      await deleteFollow(deps.state, { follower: jid, address: follow.address })
      await queueFollow(deps, 'unfollow', { follower: jid, address: follow.address })
      continue
    }
    if (follow.isListed !== isThere) await updateFollow(deps.state, follow, { isListed: Number(isThere) })
    if (isToDo) await queueFollow(deps, 'follow', { follower: jid, address: follow.address })
  }
  const wishes: Wish[] = []
  for (const [key, wish] of listed) if (!known.has(key) && (await mayTouch(wish.address))) wishes.push(wish)
  await followNodes(deps, jid, wishes.slice(0, Math.max(0, MOST_FOLLOWS - known.size)))
  await knowBlogs(deps)
}

/** Whether something about the node waits in the outbox, or was asked for here since. */
async function isOurs(
  state: StateDb,
  { jid, address, since }: { jid: BareJid; address: NodeAddress; since: Date },
): Promise<boolean> {
  const rows = await listOutboxOf(state, followRowAddress(address))
  return rows.some((row) => row.account === jid && (row.status === 'waiting' || row.createdAt >= since))
}

/** Merges, where the account's server does not answer in this matter not at all. */
export async function tryMerge(deps: FollowDeps, session: XmppSession): Promise<'merged' | 'impossible'> {
  try {
    await mergeFollows(deps, session)
    return 'merged'
  } catch (error) {
    if (isAppError(error)) return 'impossible'
    throw error
  }
}
