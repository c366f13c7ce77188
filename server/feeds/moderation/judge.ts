import { hasShownComment } from '#server/store/arrivals.ts'
import { findBlock } from '#server/store/community.ts'
import { type Decision, findDecision, hasApproved, saveDecision } from '#server/store/decision.ts'
import { findFollow } from '#server/store/follow.ts'
import type { Hold } from '#server/store/index-schema.ts'
import type { NodeRow } from '#server/store/node.ts'
import { findBlockOfNode } from '#server/store/site-block.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { blogOf } from '../blog-of.ts'
import { isLike } from '../entry-row.ts'
import type { IngestDeps } from '../ingest.ts'
import { notify } from '../notify/notify.ts'
import type { ReadEntryItem } from '../read-item.ts'
import { hasLink } from './has-link.ts'
import { isTooMany } from './limits.ts'
import { findModeratedFeed, listPostsAbove, type ModeratedFeed } from './moderated-feed.ts'
import { writerOf } from './writer.ts'

/** An item that was read and is to be stored. */
export interface Candidate {
  readonly node: NodeRow
  readonly address: ItemAddress
  readonly item: ReadEntryItem
  /** Some version of it is shown already. */
  readonly isKnown: boolean
  readonly isHistory: boolean
  /** Read off the node after it was missed. */
  readonly isCaughtUp: boolean
  /** Of a message in a room: the post that it answers. */
  readonly root?: ItemAddress
}

export interface Verdict {
  readonly hold: Hold | null
  /** Who shut its writer out of the blog: what is news goes off the node again, by their session. */
  readonly blocker?: BareJid
}

const SHOWN: Verdict = { hold: null }
type Reason = NonNullable<Decision['reason']>

/** Whether an item is shown, and if not, why; what is held from now on is written down for who looks after the blog. */
export async function judge(deps: IngestDeps, candidate: Candidate): Promise<Verdict> {
  const { node, address, item } = candidate
  const who = writerOf(item)
  if (await isBlockedOnSite(deps, { address, who, via: item.entry.via?.address })) return { hold: 'blocked' }
  const isTalk = node.kind === 'comments' || node.kind === 'room' || node.kind === 'attachments'
  if (!isTalk) return { hold: await holdOfDecided(deps, address) }
  const posts = await listPostsAbove(deps, node, candidate.root)
  const blocker = who && (await findBlocker(deps, posts, who))
  if (blocker !== undefined) return { hold: 'blocked', blocker }
  const decision = await findDecision(deps.state, address)
  if (decision !== undefined) return { hold: holdOf(decision) }
  // A heart has no words to be looked at.
  if (node.kind === 'attachments' || isLike(item.entry)) return SHOWN
  for (const post of posts) {
    const feed = await findModeratedFeed(deps.state, post)
    if (feed === undefined) continue
    const reason = await findReason(deps, candidate, { post, feed, who })
    if (reason === undefined) return SHOWN
    await hold(deps, { candidate, post, who, reason })
    await tell(deps, feed.owner, { candidate, post, who })
    return { hold: reason === 'closed' ? 'closed' : 'held' }
  }
  return SHOWN
}

/** Whether the site shows nothing of where an item is, of who wrote it, or of what it repeats. */
export async function isBlockedOnSite(
  { state }: Pick<IngestDeps, 'state'>,
  { address, who, via }: { address: ItemAddress; who: BareJid | undefined; via: ItemAddress | undefined },
): Promise<boolean> {
  if ((await findBlockOfNode(state, address, ...(who === undefined ? [] : [who]))) !== undefined) return true
  return via !== undefined && (await findBlockOfNode(state, via)) !== undefined
}

async function holdOfDecided({ state }: IngestDeps, address: ItemAddress): Promise<Hold | null> {
  const decision = await findDecision(state, address)
  return decision === undefined ? null : holdOf(decision)
}

/** What a decision makes of an entry. */
export function holdOf({ what, reason }: Pick<Decision, 'what' | 'reason'>): Hold | null {
  if (what === 'removed') return 'removed'
  if (what !== 'held') return null
  return reason === 'closed' ? 'closed' : 'held'
}

/** Who shut somebody out of any of the blogs of these posts. */
export async function findBlocker(
  { state }: Pick<IngestDeps, 'state'>,
  posts: readonly ItemAddress[],
  who: BareJid,
): Promise<BareJid | undefined> {
  for (const post of posts) {
    const by = await findBlock(state, post, who)
    if (by !== undefined) return by
  }
  return undefined
}

interface Question {
  readonly post: ItemAddress
  readonly feed: ModeratedFeed
  readonly who: BareJid | undefined
}

async function findReason(
  deps: IngestDeps,
  candidate: Candidate,
  { post, feed, who }: Question,
): Promise<Reason | undefined> {
  const { node, address, item, isHistory, isCaughtUp, isKnown } = candidate
  // The site's own words, not those that it brings for somebody: what it says in rooms.
  if (who === feed.owner || who === node.owner || (who !== undefined && who === deps.siteJid)) return undefined
  const written = item.entry.published ?? item.entry.updated ?? deps.clock()
  const closed = isKnown ? undefined : await findClosedThread(deps.state, post)
  // Of what is read again only its own date says whether it came after that.
  if (closed !== undefined && (!isHistory || written > closed.since)) return 'closed'
  if (isHistory) return undefined
  // A conversation beside the posts goes faster than comments on them: a room has bounds of its own.
  const isAnswer = post.item !== ''
  if (!isKnown && isAnswer) {
    const at = isCaughtUp ? new Date(Math.min(written.getTime(), deps.clock().getTime())) : deps.clock()
    const burst = { who, thread: node.address, post, at, by: isCaughtUp ? 'publishedAt' : 'arrivedAt' } as const
    if (await isTooMany(deps.index, burst)) return 'too-many'
  }
  const isLinking = feed.holds !== 'nobody' && hasLink(item.entry)
  const isHeldFromStrangers = feed.holds === 'strangers' && isAnswer
  if (!isLinking && !isHeldFromStrangers) return undefined
  if (who !== undefined && (await hasSpoken(deps, { who, post, address }))) return undefined
  if (isLinking) return 'link'
  return who !== undefined && (await isTrusted(deps, who, feed)) ? undefined : 'stranger'
}

/** Whether anything else of theirs is shown on the blog, or was approved there. */
async function hasSpoken(
  { index, state }: IngestDeps,
  { who, post, address }: { who: BareJid; post: ItemAddress; address: ItemAddress },
): Promise<boolean> {
  const blog = { service: post.service, node: post.node }
  if (await hasApproved(state, blog, who)) return true
  return hasShownComment(index, { who, blog, except: address })
}

/** Whom the owner follows are no strangers. An account of this site is one, like any other. */
async function isTrusted({ state }: IngestDeps, who: BareJid, { owner }: ModeratedFeed): Promise<boolean> {
  return (await findFollow(state, owner, blogOf(who))) !== undefined
}

async function hold(
  { state, clock }: IngestDeps,
  { candidate, post, who, reason }: { candidate: Candidate; post: ItemAddress; who?: BareJid; reason: Reason },
): Promise<void> {
  const { address, item } = candidate
  // Before it is stored: whatever happens in between, it is never shown first.
  await saveDecision(state, {
    ...{ address, post, what: 'held', reason, at: clock(), author: who, publisher: item.publisher },
  })
}

async function tell(
  deps: IngestDeps,
  jid: BareJid,
  { candidate, post, who }: { candidate: Candidate; post: ItemAddress; who?: BareJid },
): Promise<void> {
  const { address, item } = candidate
  const { excerpt, title, author } = item.entry
  const words = { actor: who, actorName: item.contributor?.name ?? author.name, text: excerpt || title }
  await notify(deps, [{ jid, kind: 'held', about: address, post, ...words }])
}
