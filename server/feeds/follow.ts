import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import { addFollow, deleteFollow, type Follow, findFollow } from '#server/store/follow.ts'
import { deleteUnbegun } from '#server/store/outbox.ts'
import { publishesFollows, savePublishesFollows } from '#server/store/reader.ts'
import { findBlockOfNode } from '#server/store/site-block.ts'
import { hasSpace } from '#server/store/space-left.ts'
import { type ItemAddress, type NodeAddress, sameAddress, writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { blogOf } from './blog-of.ts'
import { knowChanged } from './known-blogs.ts'
import { type Live, NODES_TOPIC } from './live.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { nodeRowAddress, queue } from './queue-row.ts'

export interface FollowDeps extends QueueDeps {
  readonly live: Live
}

/** What somebody wants to follow. */
export interface Wish extends Pick<Follow, 'address' | 'title' | 'feedUrl'> {
  /** Whether it is in the list on their account already. */
  readonly isListed?: boolean
  /** Whether it is in the list on their account that contacts may read. */
  readonly isShown?: boolean
}

/** Whether a node is one of posts: threads and the notes beside them come with their posts. */
export function mayFollow({ node }: NodeAddress): boolean {
  return node !== '' && ![NS.COMMENTS_PREFIX, NS.ATTACHMENTS_PREFIX].some((prefix) => node.startsWith(prefix))
}

export const OWN_BLOG = 'This is your own blog.'

export type FollowOutcome = 'followed' | 'known' | 'no-feed' | 'own' | 'too-many' | 'blocked'

/** Follows nodes from now on, here at once and on the network as soon as it can be. Again does no harm. */
export async function followNodes(
  deps: FollowDeps,
  follower: BareJid,
  wishes: readonly Wish[],
): Promise<FollowOutcome[]> {
  const follow = async ({ address, title, feedUrl, isListed, isShown }: Wish): Promise<FollowOutcome> => {
    if (!mayFollow(address)) return 'no-feed'
    if (sameAddress(address, blogOf(follower))) return 'own'
    if ((await findFollow(deps.state, follower, address)) !== undefined) return 'known'
    if (!(await mayFollowMore(deps, follower, { address, title, feedUrl }))) return 'too-many'
    if ((await findBlockOfNode(deps.state, address)) !== undefined) return 'blocked'
    await addFollow(deps.state, { follower, address, title, feedUrl, isListed, isShown, since: deps.clock() })
    await queueFollow(deps, 'follow', { follower, address })
    return 'followed'
  }
  const outcomes: FollowOutcome[] = []
  for (const wish of wishes) outcomes.push(await follow(wish))
  const fresh = wishes.filter((_, n) => outcomes[n] === 'followed')
  if (fresh.length > 0) await tellOthers(deps, follower, fresh)
  return outcomes
}

/** Neither the list of what is followed nor what still waits to be asked of the servers is full. */
async function mayFollowMore(deps: FollowDeps, account: BareJid, wish: Wish): Promise<boolean> {
  return (
    (await hasSpace(deps, 'follows', { account, row: wish })) &&
    (await hasSpace(deps, 'unsent', { account, row: wish.address }))
  )
}

/** The same of one, that somebody in front of a form wants. Throws where it cannot be. */
export async function followNode(deps: FollowDeps, follower: BareJid, wish: Wish): Promise<void> {
  const [outcome] = await followNodes(deps, follower, [wish])
  const words = outcome === undefined ? undefined : describeOutcome(outcome, wish)
  if (words !== undefined) throw new AppError(outcome === 'no-feed' ? 'bad-request' : 'forbidden', words)
}

/** Why something is not followed, in a sentence; undefined where it is. */
export function describeOutcome(outcome: FollowOutcome, { address }: Wish): string | undefined {
  if (outcome === 'no-feed') return `${writeXmppUri(address)} is no blog and no community.`
  if (outcome === 'own') return OWN_BLOG
  if (outcome === 'too-many') return 'You follow as much as an account may here. Unfollow some first.'
  if (outcome === 'blocked') return 'Whoever runs this site does not show that here.'
  return undefined
}

/** Follows no longer: here at once, and on the network as soon as it can be. */
export async function unfollowNode(deps: FollowDeps, follower: BareJid, address: NodeAddress): Promise<void> {
  if ((await findFollow(deps.state, follower, address)) === undefined) return
  await deleteFollow(deps.state, { follower, address })
  await queueFollow(deps, 'unfollow', { follower, address })
  await tellOthers(deps, follower, [])
}

/** Stores durably that the network is to be told what is wished of a node. */
export async function queueFollow(
  deps: QueueDeps,
  kind: 'follow' | 'unfollow',
  { follower: account, address: node }: { follower: BareJid; address: NodeAddress },
): Promise<void> {
  const address = nodeRowAddress(node)
  for (const kind of ['follow', 'unfollow'] as const) await deleteUnbegun(deps.state, { account, address, kind })
  await queue(deps, { kind }, { account, address, key: randomUUID() })
}

/** Whether everybody may know what an account follows, from now on. */
export async function publishFollows(deps: QueueDeps, account: BareJid, isPublic: boolean): Promise<void> {
  await savePublishesFollows(deps.state, account, isPublic)
  await queuePublicFollows(deps, account)
}

async function tellOthers(deps: FollowDeps, follower: BareJid, fresh: readonly Wish[]): Promise<void> {
  await knowChanged(deps, { isQuick: true })
  for (const { address } of fresh) deps.live.publish(NODES_TOPIC, { kind: 'node-added', address })
  if (await publishesFollows(deps.state, follower)) await queuePublicFollows(deps, follower)
}

/** Has the public lists say what is followed, or nothing, as was chosen. */
export async function queuePublicFollows(deps: QueueDeps, account: BareJid): Promise<void> {
  const address = publicFollowsRow(account)
  await deleteUnbegun(deps.state, { account, address, kind: 'public-follows' })
  await queue(deps, { kind: 'public-follows' }, { account, address, key: randomUUID() })
}

/** The address of its rows in the outbox. */
export function publicFollowsRow(account: BareJid): ItemAddress {
  return nodeRowAddress({ service: account, node: NS.PUBLIC_SUBSCRIPTION_LIST })
}
