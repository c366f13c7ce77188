import { AppError } from '#server/errors.ts'
import { type Decision, findDecision, saveDecision } from '#server/store/decision.ts'
import type { Hold } from '#server/store/index-schema.ts'
import { findJudged, type JudgedEntry, saveHold } from '#server/store/judged-entry.ts'
import { findNode } from '#server/store/node.ts'
import { holdReactions } from '#server/store/reaction-hold.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { announceRemoved, announceSaved } from '../announce.ts'
import { isModerator, isSeenModerator } from '../communities.ts'
import type { IngestDeps } from '../ingest.ts'
import { postTopic, roomTopic } from '../live.ts'
import { holdOf } from './judge.ts'
import { listPostsAbove } from './moderated-feed.ts'

export type DecideDeps = Pick<IngestDeps, 'index' | 'state' | 'live' | 'clock'>

/** Something said under a post, with what was decided about it before. */
export interface Case {
  /** Absent once it is off the node. */
  readonly entry?: JudgedEntry
  readonly decision?: Decision
  readonly post: ItemAddress
  readonly address: ItemAddress
}

/** Rejects with `not-found`, and with `forbidden` for who does not look after the blog. */
export async function openCase(deps: DecideDeps, by: BareJid, address: ItemAddress): Promise<Case> {
  const entry = await findJudged(deps.index, address)
  const decision = await findDecision(deps.state, address)
  const posts = entry === undefined ? [] : await listPostsAbove(deps, entry, entry.root)
  const about = decision === undefined ? posts : [decision.post]
  if (about.length === 0) throw new AppError('not-found', 'There is no such comment')
  for (const post of about) {
    if (await mayModerate(deps, by, post)) return { entry, decision, post, address }
  }
  // The comments of a post in a community are on a node of its writer.
  const [post] = about
  if (post !== undefined && entry?.owner === by) return { entry, decision, post, address }
  throw await forbid(deps, by, post ?? address, 'Only who owns the blog can decide about its comments')
}

/** Whether somebody looks after the blog of a post, as the site has seen of late. */
export async function mayModerate(
  deps: Pick<DecideDeps, 'state' | 'clock'>,
  jid: BareJid,
  post: ItemAddress,
): Promise<boolean> {
  return isSeenModerator(deps, jid, post)
}

/** Why somebody may not: who is remembered as the owner must be seen to be so still. */
export async function forbid(deps: Pick<DecideDeps, 'state'>, jid: BareJid, post: ItemAddress, words: string) {
  const isRemembered = await isModerator(deps, jid, post)
  const again =
    'This site has not seen of late that you own this community. Open the list of its people, then try again'
  return new AppError('forbidden', isRemembered ? again : words)
}

/** What is held is shown from now on; with `held`, what was shown waits again. */
export async function decide(
  deps: DecideDeps,
  { by, address, what }: { by: BareJid; address: ItemAddress; what: 'approved' | 'held' },
): Promise<void> {
  const { entry, decision, post } = await openCase(deps, by, address)
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
