import { AppError } from '#server/errors.ts'
import { type Decision, findDecision, saveDecision } from '#server/store/decision.ts'
import type { Hold } from '#server/store/index-schema.ts'
import { findJudged, type JudgedEntry, saveHold } from '#server/store/judged-entry.ts'
import { findNode } from '#server/store/node.ts'
import { holdReactions } from '#server/store/reaction-hold.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { announceRemoved, announceSaved } from '../announce.ts'
import type { IngestDeps } from '../ingest.ts'
import { postTopic, roomTopic } from '../live.ts'
import { isModerator, isSeenModerator, type OwnersDeps, seeModerator } from '../owners.ts'
import { holdOf } from './judge.ts'
import { listPostsAbove } from './moderated-feed.ts'

export type DecideDeps = Pick<IngestDeps, 'index' | 'state' | 'live' | 'clock'>
export type ActDeps = DecideDeps & OwnersDeps

/** Something said under a post, with what was decided about it before. */
export interface Case {
  /** Absent once it is off the node. */
  readonly entry?: JudgedEntry
  readonly decision?: Decision
  readonly post: ItemAddress
  readonly address: ItemAddress
  /** Whether it is on a node of theirs, whatever it is said under. */
  readonly isOnOwnNode: boolean
}

/** Rejects with `not-found`, and with `forbidden` for who does not look after the blog, as far as it is remembered. */
export async function openCase(deps: DecideDeps, by: BareJid, address: ItemAddress): Promise<Case> {
  const entry = await findJudged(deps.index, address)
  const decision = await findDecision(deps.state, address)
  const posts = entry === undefined ? [] : await listPostsAbove(deps, entry, entry.root)
  const about = decision === undefined ? posts : [decision.post]
  if (about.length === 0) throw new AppError('not-found', 'There is no such comment')
  const isOnOwnNode = entry?.owner === by
  const [first] = about
  // Those that the site has seen them to own go before those that they say they own; the comments of a post in a
  // community are on a node of its writer.
  const post =
    (await findModerated(deps, by, { about, moderates: isSeenModerator })) ??
    (isOnOwnNode ? first : await findModerated(deps, by, { about, moderates: isModerator }))
  if (post === undefined) throw forbid()
  return { entry, decision, post, address, isOnOwnNode }
}

async function findModerated(
  deps: DecideDeps,
  by: BareJid,
  { about, moderates }: { about: readonly ItemAddress[]; moderates: typeof isModerator },
): Promise<ItemAddress | undefined> {
  for (const post of about) if (await moderates(deps, by, post)) return post
  return undefined
}

/**
 * Whether the site sees now that somebody looks after what a case is about; else they can only ask its service. Rejects
 * with `forbidden` where it sees that others do.
 */
export async function maySettle(deps: ActDeps, by: BareJid, { post, isOnOwnNode }: Case): Promise<boolean> {
  if (isOnOwnNode || (await seeModerator(deps, by, post))) return true
  if (await isModerator(deps, by, post)) return false
  throw forbid()
}

function forbid(): AppError {
  return new AppError('forbidden', 'Only who owns the blog can decide about its comments')
}

/** For what happens here alone, so that no service can be asked for it; `what` begins a sentence. */
export function refuseUnseen({ service }: NodeAddress, what: string): AppError {
  const words = `${service} does not show this site that you own this community. ${what} happens on this site alone, so ${service} cannot be asked for it`
  return new AppError('forbidden', words)
}

/** What is held is shown from now on; with `held`, what was shown waits again. */
export async function decide(
  deps: ActDeps,
  { by, address, what }: { by: BareJid; address: ItemAddress; what: 'approved' | 'held' },
): Promise<void> {
  const found = await openCase(deps, by, address)
  const { entry, decision, post } = found
  if (!(await maySettle(deps, by, found))) throw refuseUnseen(post, 'Approving a comment')
  if (decision?.what === what) return
  if (entry === undefined || decision?.what === 'removed') {
    throw new AppError('not-found', 'This comment is not there any more')
  }
  const before = decision?.what
  await saveDecision(deps.state, {
    ...writtenBy(entry),
    ...decision,
    address,
    post,
    what,
    before,
    by,
    at: deps.clock(),
  })
  await applyHold(deps, entry, { hold: holdOf({ what, reason: decision?.reason }), isNews: what === 'approved' })
}

/** Who wrote it, and as its service says. */
export function writtenBy({ contributor, publisher, author }: JudgedEntry): Pick<Decision, 'author' | 'publisher'> {
  return { author: contributor ?? publisher ?? author, publisher }
}

/** Shows an entry or takes it out of the pages, and tells those who look at them; as news, it comes only now. */
export async function applyHold(
  deps: DecideDeps,
  entry: JudgedEntry,
  { hold, isNews = false }: { hold: Hold | null; isNews?: boolean },
): Promise<void> {
  if ((entry.hold ?? null) === hold) return
  await saveHold(deps.index, entry.id, { hold, ...(isNews && { arrivedAt: deps.clock() }) })
  await holdReactions(deps.index, entry.id, hold)
  const node = await findNode(deps.index, entry.address)
  if (node === undefined) return
  if (hold === null) await announceSaved(deps, node, { address: entry.address, isNew: true })
  else await announceRemoved(deps, node, entry.address)
  if (node.kind === 'room') tellRoom(deps, entry, hold === null ? 'comment-added' : 'comment-removed')
}

/** The pages of the room, and of the post that a message answers. */
function tellRoom({ live }: DecideDeps, { address, root }: JudgedEntry, kind: 'comment-added' | 'comment-removed') {
  live.publish(roomTopic(address.service), { kind, address })
  if (root !== undefined) live.publish(postTopic(root), { kind, address })
}
