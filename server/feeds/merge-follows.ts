import { isAppError } from '#server/errors.ts'
import { deleteFollow, type Follow, listFollows, updateFollow } from '#server/store/follow.ts'
import { findLastOutboxId, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { type FollowDeps, followNodes, publicFollowsRow, queueFollow, queuePublicFollows, type Wish } from './follow.ts'
import { type FollowList, MOST_FOLLOWS, readFollowList } from './follow-list.ts'
import { knowChanged } from './known-blogs.ts'
import { compareList, type ListChanges } from './list-changes.ts'
import { nodeRowAddress } from './queue-row.ts'

export interface MergeOptions {
  /** What the account's server acknowledged from then on it may have lost. */
  readonly doubtfulSince?: Date | undefined
  /** Told of a list that everybody may read, so that its events can be heard. */
  readonly onOpen?: (list: NodeAddress) => void
  /** Leaves alone what was refused, which is not tried again as often as the lists are read. */
  readonly isBrief?: boolean
}

const MOST_PENDING = 20

/** What is to be said of a node by its rows in the outbox. */
type Say = 'nothing' | 'ours' | 'again'

/**
 * Takes over what other clients changed in the lists on a person's own account. What waits in the outbox wins, and so
 * does what was done here while the lists were read.
 */
export async function mergeFollows(
  deps: FollowDeps,
  session: XmppSession,
  options: MergeOptions = {},
): Promise<'merged' | 'lost'> {
  const { jid, pubsub } = session
  const lastId = await findLastOutboxId(deps.state)
  const question = { jid, lastId, ...options }
  const follows = await listFollows(deps.state, jid)
  const keysOf = (some: readonly Follow[]) => new Set(some.map(({ address }) => addressKey(address)))
  const own = compareList(await readFollowList(pubsub, jid), keysOf(follows.filter(({ isListed }) => isListed)))
  const shownList = await readShown(deps, session, question)
  const shown = compareList(shownList, keysOf(follows.filter(({ isShown }) => isShown)))
  const isShownKnown = shownList !== undefined && !shown.isLost
  const say = (address: NodeAddress) => readRows(deps, address, question)
  const known = new Set<string>()
  let hasEnded = false
  for (const follow of await listFollows(deps.state, jid)) {
    known.add(addressKey(follow.address))
    const isBrief = options.isBrief === true
    if ((await mergeOne(deps, follow, { own, shown, isShownKnown, isBrief, say })) === 'ended') hasEnded = true
  }
  const wishes: Wish[] = []
  for (const [key, wish] of new Map([...shown.wishes, ...own.wishes])) {
    const word = known.has(key) ? 'ours' : await say(wish.address)
    if (word === 'nothing') wishes.push({ ...wish, isListed: own.wishes.has(key), isShown: shown.wishes.has(key) })
    else if (word === 'again') await queueFollow(deps, 'unfollow', { follower: jid, address: wish.address })
  }
  await followNodes(deps, jid, wishes.slice(0, Math.max(0, MOST_FOLLOWS - known.size)))
  if (hasEnded) await knowChanged(deps)
  await askPending(deps, session)
  return own.isLost ? 'lost' : 'merged'
}

interface Question extends MergeOptions {
  readonly jid: BareJid
  /** The last row of the outbox before the lists were asked for: only what was there then can others have changed. */
  readonly lastId: number
}

/** The list for contacts, which says nothing while our own outbox is at it, or where it cannot be read now. */
async function readShown(deps: FollowDeps, session: XmppSession, question: Question): Promise<FollowList | undefined> {
  const { jid, pubsub } = session
  const isOurs = async () => (await readRows(deps, publicFollowsRow(jid), question)) !== 'nothing'
  if (await isOurs()) {
    await mendShown(deps, question)
    return undefined
  }
  try {
    const list = await readFollowList(pubsub, jid, NS.SUBSCRIPTION_LIST)
    if (list?.isOpen) question.onOpen?.({ service: jid, node: NS.SUBSCRIPTION_LIST })
    return (await isOurs()) ? undefined : list
  } catch (error) {
    if (!isAppError(error)) throw error
    return undefined
  }
}

/** Queues our public lists again where the server may have lost some of what we wrote. */
async function mendShown(deps: FollowDeps, question: Question): Promise<void> {
  if ((await readRows(deps, publicFollowsRow(question.jid), question)) === 'again') {
    await queuePublicFollows(deps, question.jid)
  }
}

interface Merging {
  readonly own: ListChanges
  readonly shown: ListChanges
  readonly isShownKnown: boolean
  readonly isBrief: boolean
  readonly say: (address: NodeAddress) => Promise<Say>
}

async function mergeOne(deps: FollowDeps, follow: Follow, merging: Merging): Promise<'kept' | 'ended'> {
  const { own, shown, isShownKnown, isBrief, say } = merging
  const key = addressKey(follow.address)
  const row = { follower: follow.follower as BareJid, address: follow.address }
  const isThere = own.wishes.has(key)
  const isTakenOff = own.isTakenOff(key) || shown.isTakenOff(key)
  const isUnsubscribed = follow.subscription === 'none' || (follow.subscription === 'refused' && !isBrief)
  const isFine = (isThere && follow.isListed && !isUnsubscribed) || own.isCrowdedOut(key)
  if (isTakenOff || !isFine) {
    const word = await say(follow.address)
    if (word === 'ours') return 'kept'
    if (isTakenOff && word === 'nothing') {
      await deleteFollow(deps.state, row)
      await queueFollow(deps, 'unfollow', row)
      return 'ended'
    }
    if (!isFine) {
      if (follow.isListed !== isThere) await updateFollow(deps.state, row, { isListed: Number(isThere) })
      if (!isThere || isUnsubscribed) await queueFollow(deps, 'follow', row)
    }
  }
  const isShown = shown.wishes.has(key)
  if (isShownKnown && follow.isShown !== isShown) await updateFollow(deps.state, row, { isShown: Number(isShown) })
  return 'kept'
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

/** `ours` while the outbox is at work on the node or was since, `again` where the server may have lost its writes. */
async function readRows(
  { state }: FollowDeps,
  address: NodeAddress,
  { jid, lastId, doubtfulSince }: Question,
): Promise<Say> {
  const all = await listOutboxOf(state, nodeRowAddress(address))
  const rows = all.filter(({ account }) => account === jid)
  if (rows.some(({ id, status }) => status === 'waiting' || id > lastId)) return 'ours'
  const isDoubtful = ({ acknowledgedAt }: OutboxRow) =>
    doubtfulSince !== undefined && acknowledgedAt !== undefined && acknowledgedAt >= doubtfulSince
  return rows.some(isDoubtful) ? 'again' : 'nothing'
}
