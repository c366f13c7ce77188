import { deleteFollow, type Follow, listFollows, updateFollow } from '#server/store/follow.ts'
import { findLastOutboxId, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type FollowDeps, followNodes, mayFollow, queueFollow, type Wish } from './follow.ts'
import { type FollowList, MOST_FOLLOWS, readFollowList } from './follow-list.ts'
import { knowBlogs } from './known-blogs.ts'
import { nodeRowAddress } from './queue-row.ts'

export interface MergeOptions {
  /** What the account's server acknowledged from then on it may have lost. */
  readonly doubtfulSince?: Date | undefined
}

/** What was there before the list was asked for: only that can have been changed by others in between. */
interface Before {
  readonly lastId: number
  readonly listed: ReadonlySet<string>
}

const MOST_PENDING = 20

/** What is to be said of a node by its rows in the outbox. */
type Say = 'nothing' | 'ours' | 'again'

/**
 * Takes over what other clients changed in the list on a person's own account. What waits in the outbox wins, and so
 * does what was done here while the list was read.
 */
export async function mergeFollows(
  deps: FollowDeps,
  session: XmppSession,
  options: MergeOptions = {},
): Promise<'merged' | 'lost'> {
  const { jid } = session
  const lastId = await findLastOutboxId(deps.state)
  const isListed = (await listFollows(deps.state, jid)).filter((follow) => follow.isListed)
  const before: Before = { lastId, listed: new Set(isListed.map(({ address }) => addressKey(address))) }
  const found = await readFollowList(session.pubsub, jid)
  // COMPAT(ejabberd 24.12): just started, it may answer that there is nothing yet, which is no wish of anybody's.
  const isLost = before.listed.size > 1 && (found === undefined || found.count === 0)
  const list = isLost ? undefined : found
  const listed = new Map(readWishes(list).map((wish) => [addressKey(wish.address), wish]))
  const say = (address: NodeAddress) => readRows(deps, { jid, address, before, ...options })
  const known = new Set<string>()
  for (const follow of await listFollows(deps.state, jid)) {
    const key = addressKey(follow.address)
    known.add(key)
    // A list that is gone as a whole was lost, not emptied: it is written again.
    const isMissing = before.listed.has(key) && !listed.has(key)
    // It may only have had no more room: then it is followed here alone.
    if (isMissing && list?.isComplete === false) continue
    const isTakenOff = isMissing && list !== undefined
    await mergeOne(deps, follow, { isThere: listed.has(key), isTakenOff, say })
  }
  const wishes: Wish[] = []
  for (const [key, wish] of listed) {
    const word = known.has(key) ? 'ours' : await say(wish.address)
    if (word === 'nothing') wishes.push(wish)
    else if (word === 'again') await queueFollow(deps, 'unfollow', { follower: jid, address: wish.address })
  }
  await followNodes(deps, jid, wishes.slice(0, Math.max(0, MOST_FOLLOWS - known.size)))
  await knowBlogs(deps)
  await askPending(deps, session)
  return isLost ? 'lost' : 'merged'
}

function readWishes(list: FollowList | undefined): Wish[] {
  const items = list?.items.filter(({ address }) => mayFollow(address)) ?? []
  return items.map(({ address, title }) => ({ address, title, isListed: true }))
}

interface Merging {
  readonly isThere: boolean
  readonly isTakenOff: boolean
  readonly say: (address: NodeAddress) => Promise<Say>
}

async function mergeOne(deps: FollowDeps, follow: Follow, { isThere, isTakenOff, say }: Merging): Promise<void> {
  const isUnsubscribed = follow.subscription === 'none' || follow.subscription === 'refused'
  if (isThere && follow.isListed && !isUnsubscribed) return
  const word = await say(follow.address)
  if (word === 'ours') return
  const row = { follower: follow.follower as BareJid, address: follow.address }
  if (isTakenOff && word === 'nothing') {
    await deleteFollow(deps.state, row)
    await queueFollow(deps, 'unfollow', row)
    return
  }
  if (follow.isListed !== isThere) await updateFollow(deps.state, row, { isListed: Number(isThere) })
  if (!isThere || isUnsubscribed) await queueFollow(deps, 'follow', row)
}

/** Whether owners have let the account in meanwhile: a person's session hears nothing of it. */
async function askPending({ state }: FollowDeps, { jid, pubsub }: XmppSession): Promise<void> {
  const pending = (await listFollows(state, jid)).filter(({ subscription }) => subscription === 'pending')
  for (const { follower, address } of pending.slice(0, MOST_PENDING)) {
    const found = await pubsub.listSubscriptions(address.service).catch(() => [])
    if (!found.some((each) => each.address.node === address.node && each.state === 'subscribed')) continue
    await updateFollow(state, { follower, address }, { subscription: 'subscribed', problem: null })
  }
}

interface Question extends MergeOptions {
  readonly jid: BareJid
  readonly address: NodeAddress
  readonly before: Before
}

/** Whether a node is the outbox's own business, or was, in words that its server may have lost. */
async function readRows({ state }: FollowDeps, { jid, address, before, doubtfulSince }: Question): Promise<Say> {
  const all = await listOutboxOf(state, nodeRowAddress(address))
  const rows = all.filter(({ account }) => account === jid)
  const isOurs = ({ id, status }: OutboxRow) => status === 'waiting' || id > before.lastId
  if (rows.some(isOurs)) return 'ours'
  const isDoubtful = ({ acknowledgedAt }: OutboxRow) =>
    doubtfulSince !== undefined && acknowledgedAt !== undefined && acknowledgedAt >= doubtfulSince
  return rows.some(isDoubtful) ? 'again' : 'nothing'
}
