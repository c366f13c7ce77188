import type { IndexDb } from '#server/store/database.ts'
import { type Follow, findFollow } from '#server/store/follow.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { addReadMarks, deleteReadMarks, listReadMarks } from '#server/store/read-mark.ts'
import { findReadUntil, raiseReadUntil } from '#server/store/reader.ts'
import { forgetOldest, type KeepDeps } from '#server/store/space-left.ts'
import { listArrived } from '#server/store/timeline.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

export interface ReadingDeps extends KeepDeps {
  readonly clock: () => Date
}

const DAY_MS = 86_400_000
/** As many as anybody will look at. */
const MOST_MARKS = 10_000

type News = Pick<PostRow, 'address' | 'arrivedAt' | 'author'>

/** Somebody, and those of what they follow that the posts are of. */
export interface Reader {
  readonly jid: BareJid
  readonly follows: readonly Follow[]
}

/** Which of these posts arrived since they follow, from somebody else, and were not read; by `addressKey`. */
export async function listUnread(
  { state }: Pick<ReadingDeps, 'state'>,
  { jid, follows }: Reader,
  posts: readonly News[],
): Promise<ReadonlySet<string>> {
  const since = new Map(follows.map((follow) => [addressKey(follow.address), follow.since]))
  const readUntil = (await findReadUntil(state, jid)) ?? new Date(0)
  const news = posts.filter(({ address: { service, node }, arrivedAt, author }) => {
    const followed = since.get(addressKey({ service, node }))
    return followed !== undefined && arrivedAt > followed && arrivedAt > readUntil && author?.jid !== jid
  })
  if (news.length === 0) return new Set()
  const marked = await listReadMarks(
    state,
    jid,
    news.map(({ address }) => address),
  )
  return new Set(news.map(({ address }) => addressKey(address)).filter((key) => !marked.has(key)))
}

/** That somebody has opened a post: of what they do not follow nothing is kept. */
export async function markRead(deps: ReadingDeps, jid: BareJid, post: News): Promise<void> {
  const follow = await findFollow(deps.state, jid, post.address)
  if (follow === undefined) return
  const unread = await listUnread(deps, { jid, follows: [follow] }, [post])
  if (unread.size === 0) return
  await addReadMarks(deps.state, jid, { addresses: [post.address], at: deps.clock() })
  await forgetOldest(deps, 'marks', jid)
}

/** All of one feed that arrived until then is read; of what they do not follow nothing is kept. */
export async function markFeedRead(
  deps: ReadingDeps & { readonly index: IndexDb },
  jid: BareJid,
  { feed, until }: { feed: NodeAddress; until: Date },
): Promise<void> {
  const { state, index, clock } = deps
  const follow = await findFollow(state, jid, feed)
  if (follow === undefined) return
  const readUntil = (await findReadUntil(state, jid)) ?? follow.since
  const since = new Date(Math.max(follow.since.getTime(), readUntil.getTime()))
  const { service, node } = feed
  const items = await listArrived(index, feed, { since, until, limit: MOST_MARKS })
  await addReadMarks(state, jid, { addresses: items.map((item) => ({ service, node, item })), at: clock() })
  await forgetOldest(deps, 'marks', jid)
}

/** All that arrived until then is read; the marks of its posts are not needed any more. */
export async function markAllRead({ state, clock }: ReadingDeps, jid: BareJid, until: Date): Promise<void> {
  // Some of the future, for clocks that were set back meanwhile.
  const bounded = new Date(Math.min(until.getTime(), clock().getTime() + DAY_MS))
  await raiseReadUntil(state, jid, bounded)
  await deleteReadMarks(state, jid, bounded)
}
