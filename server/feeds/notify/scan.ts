import { createSlices } from '#server/slices.ts'
import {
  findLastEntryId,
  findNewsEntry,
  listNewsAgain,
  listNewsEntries,
  listNewsReactions,
  listPersonNames,
  type NewsEntry,
  type NewsReaction,
} from '#server/store/news.ts'
import { listWhoHeard, SAID_KINDS } from '#server/store/notification.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type AudienceDeps, findReactionAudience, isShutOut, listAudience } from './audience.ts'
import { type News, type NotifyDeps, notify, takeBackNotifications } from './notify.ts'

export type ScanDeps = AudienceDeps & NotifyDeps

/** How far the index was looked through; kept in the state, so that nothing is missed between the two. */
interface Cursor {
  readonly entryId: number
  /** Milliseconds. */
  readonly reactionsAt: number
  readonly scannedAt: number
}

const CURSOR = 'notified.until'
const AT_ONCE = 200
const MOST_AGAIN = 1_000
/** What is older than that before the last look is no news, also where the index was built anew since. */
const NEWS_MS = 24 * 3_600_000
/** For what was given its time a moment before it was written. */
const OVERLAP_MS = 2_000

/**
 * Finds what is new in the index since the last look and tells whom it concerns. To be repeated at will: each thing is
 * told once. The first look of all finds nothing new.
 */
export async function scanNews(deps: ScanDeps): Promise<void> {
  const lastId = await findLastEntryId(deps.index)
  const now = deps.clock().getTime()
  const kept = await readCursor(deps)
  if (kept === undefined) {
    await saveCursor(deps, { entryId: lastId, reactionsAt: now, scannedAt: now })
    return
  }
  // An index that was thrown away counts its entries from the beginning again.
  const entryId = lastId < kept.entryId ? 0 : kept.entryId
  // A clock that was put back must not make anything wait for its old time.
  const cursor = { entryId, reactionsAt: Math.min(kept.reactionsAt, now), scannedAt: Math.min(kept.scannedAt, now) }
  const again = { untilId: cursor.entryId, since: new Date(cursor.scannedAt - OVERLAP_MS), limit: MOST_AGAIN }
  await tellOfEntries(deps, await listNewsAgain(deps.index, again))
  const lastTold = await scanEntries(deps, cursor)
  const reactionsAt = await scanReactions(deps, cursor)
  await saveCursor(deps, { entryId: Math.max(lastTold, lastId), reactionsAt, scannedAt: now })
}

async function scanEntries(deps: ScanDeps, cursor: Cursor): Promise<number> {
  const since = new Date(cursor.scannedAt - NEWS_MS)
  let afterId = cursor.entryId
  for (;;) {
    const entries = await listNewsEntries(deps.index, { afterId, since, limit: AT_ONCE })
    await tellOfEntries(deps, entries)
    afterId = entries.at(-1)?.id ?? afterId
    if (entries.length < AT_ONCE) return afterId
    // What was told need not be looked at again after a crash.
    await saveCursor(deps, { ...cursor, entryId: afterId })
  }
}

/** In slices, and told together: each telling forgets the oldest notifications of everybody it told. */
async function tellOfEntries(deps: ScanDeps, entries: readonly NewsEntry[]): Promise<void> {
  const pause = createSlices()
  const news: News[] = []
  for (const entry of entries) {
    news.push(...(await findNews(deps, entry)))
    await pause()
  }
  await notify(deps, news)
}

async function findNews(deps: ScanDeps, entry: NewsEntry): Promise<News[]> {
  const audience = await listAudience(deps, entry)
  if (audience.length === 0 || entry.isPost === 1) return audience
  // A person who heard of it as a comment is not told once more when it turns out to be an answer.
  const heard = await listWhoHeard(deps.state, entry)
  return audience.filter(({ jid }) => !heard.has(jid))
}

async function scanReactions(deps: ScanDeps, cursor: Cursor): Promise<number> {
  let after = { arrivedAt: cursor.reactionsAt - OVERLAP_MS, place: 0 }
  for (;;) {
    const reactions = await listNewsReactions(deps.index, { after, limit: AT_ONCE })
    await tellOfReactions(deps, reactions)
    after = reactions.at(-1) ?? after
    if (reactions.length < AT_ONCE) return Math.max(after.arrivedAt, cursor.reactionsAt)
  }
}

async function tellOfReactions(deps: ScanDeps, reactions: readonly NewsReaction[]): Promise<void> {
  if (reactions.length === 0) return
  const names = await listPersonNames(deps.index, [...new Set(reactions.map(({ reactor }) => reactor))])
  const audiences = new Map<string, readonly BareJid[]>()
  const news = []
  const pause = createSlices()
  for (const { post, reactor, emoji, arrivedAt } of reactions) {
    const key = addressKey(post)
    const audience = audiences.get(key) ?? (await findReactionAudience(deps, post))
    audiences.set(key, audience)
    for (const jid of audience) {
      if (jid === reactor || (await isShutOut(deps, jid, reactor))) continue
      const what = { kind: 'reaction', about: post, post, actor: reactor, actorName: names.get(reactor) } as const
      news.push({ jid, ...what, text: emoji, at: new Date(arrivedAt) })
    }
    await pause()
  }
  await notify(deps, news)
}

/** Looks again at entries that were edited or are not shown any more. In slices, however small each is. */
export async function lookAgain(deps: ScanDeps, addresses: readonly ItemAddress[]): Promise<void> {
  const pause = createSlices()
  const shown: NewsEntry[] = []
  for (const address of addresses) {
    shown.push(...(await takeBackUnshown(deps, address)))
    await pause()
  }
  await tellOfEntries(deps, shown)
}

/** The entry where it is shown, and is news: an old one that is only written anew is none. */
async function takeBackUnshown(deps: ScanDeps, address: ItemAddress): Promise<NewsEntry[]> {
  const entry = await findNewsEntry(deps.index, address)
  if (entry?.hold !== 'held') await takeBackNotifications(deps, address, ['held'])
  if (entry === undefined || entry.hold !== null) {
    await takeBackNotifications(deps, address, [...SAID_KINDS, 'repost', 'reaction'])
    return []
  }
  return entry.arrivedAt >= deps.clock().getTime() - NEWS_MS ? [entry] : []
}

async function readCursor({ state }: ScanDeps): Promise<Cursor | undefined> {
  const kept = await findSetting(state, CURSOR)
  return kept === undefined ? undefined : (JSON.parse(kept) as Cursor)
}

function saveCursor({ state }: ScanDeps, cursor: Cursor): Promise<void> {
  return saveSetting(state, CURSOR, JSON.stringify(cursor))
}
