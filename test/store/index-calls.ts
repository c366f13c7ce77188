import * as arrivals from '#server/store/arrivals.ts'
import * as blog from '#server/store/blog.ts'
import * as comment from '#server/store/comment.ts'
import type { IndexDb } from '#server/store/database.ts'
import * as emptying from '#server/store/emptying.ts'
import * as entry from '#server/store/entry.ts'
import { listFeedHealth } from '#server/store/feed-health.ts'
import * as finish from '#server/store/finish-node.ts'
import * as heart from '#server/store/heart.ts'
import * as held from '#server/store/held-bytes.ts'
import * as hidden from '#server/store/hidden-node.ts'
import * as judged from '#server/store/judged-entry.ts'
import * as known from '#server/store/known-name.ts'
import { listContributed } from '#server/store/marked-words.ts'
import * as news from '#server/store/news.ts'
import * as nodes from '#server/store/node.ts'
import * as schedule from '#server/store/node-schedule.ts'
import * as original from '#server/store/original.ts'
import * as participant from '#server/store/participant.ts'
import * as person from '#server/store/person.ts'
import { findPost, listPosts, type PostQuery } from '#server/store/post.ts'
import { listPostTitles } from '#server/store/post-titles.ts'
import * as subscription from '#server/store/public-subscription.ts'
import * as reaction from '#server/store/reaction.ts'
import * as holds from '#server/store/reaction-hold.ts'
import * as replies from '#server/store/reply-ref.ts'
import * as repost from '#server/store/repost.ts'
import * as restricted from '#server/store/restricted-node.ts'
import * as roomEntry from '#server/store/room-entry.ts'
import * as talk from '#server/store/room-talk.ts'
import * as sitePost from '#server/store/site-post.ts'
import * as stale from '#server/store/stale-entry.ts'
import { listTalkers } from '#server/store/talker.ts'
import * as thread from '#server/store/thread.ts'
import * as threadNode from '#server/store/thread-node.ts'
import { listArrived } from '#server/store/timeline.ts'
import * as tombstone from '#server/store/tombstone.ts'
import { listWritten } from '#server/store/written-entry.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { jidOf } from '#test/support/context.ts'
import { blogOfAuthor, itemOfPost, threadOfPost } from '#test/support/large-index.ts'
import { entryRow } from './rows.ts'

type Call = (index: IndexDb) => Promise<unknown>

const BLOG = blogOfAuthor(1)
const AUTHOR = BLOG.service
/** With a comment and a heart. */
export const POST: ItemAddress = { ...BLOG, item: itemOfPost(71) }
const THREAD = threadOfPost(POST)
const READER = { jid: AUTHOR, readable: [THREAD] }
const COMMENT: ItemAddress = { ...THREAD, item: asItemId('comment-1') }
/** A blog with few posts in an index of any size. */
export const SMALL: NodeAddress = { service: jidOf('small@capulet.example'), node: NS.MICROBLOG }
/** A post with thousands of comments and hearts in its thread, and one that a room has talked about. */
export const DISCUSSED: ItemAddress = { ...SMALL, item: asItemId('long') }
export const LONG: NodeAddress = { service: SMALL.service, node: 'long' }
export const ANNOUNCED: ItemAddress = { ...SMALL, item: asItemId('announced') }
/** Feeds of one reader, not all of which are in the smaller index. */
const FOLLOWED = Array.from({ length: 1_000 }, (_, n) => ({
  service: jidOf(`followed-${n + 1}@montague.example`),
  node: NS.MICROBLOG,
}))
export const ROOM = jidOf('room@mix.capulet.example')
const STRANGER = jidOf('romeo@montague.example')
const BLOGS = Array.from({ length: 10 }, (_, n) => blogOfAuthor(n + 1))
const AUTHORS = BLOGS.map(({ service }) => service)
const NOW = new Date(Date.UTC(2024, 0, 2))
const LATER = new Date(Date.UTC(2030, 0, 1))
const LATE = new Date(Date.UTC(2024, 0, 20))

const postCalls: readonly Call[] = [
  (index) => blog.findBlog(index, BLOG),
  (index) => blog.listFeeds(index, BLOGS),
  (index) => blog.listBlogs(index, AUTHORS),
  (index) => listFeedHealth(index, BLOGS),
  ...(
    [
      { kind: 'site', authors: AUTHORS },
      { kind: 'blog', address: BLOG },
      { kind: 'blog', address: BLOG, isPublicOnly: true },
      { kind: 'feeds', addresses: BLOGS },
      { kind: 'feeds', addresses: FOLLOWED },
      // A tag that many have, but none here.
      { kind: 'blog', address: SMALL },
    ] as const
  ).flatMap((scope) =>
    [undefined, 'night', 'tag-7', 'none'].map(
      (tag): Call =>
        (index) =>
          readPages(index, { scope, tag, limit: 20 }),
    ),
  ),
  async (index) => {
    const nodeIds = await sitePost.listSiteNodeIds(index, { authors: AUTHORS, communities: BLOGS })
    await sitePost.listSitePosts(index, nodeIds, { after: 20_000, until: 21_000 })
    await sitePost.hasSitePosts(index, nodeIds, { after: 20_000, until: 21_000 })
  },
  (index) => findPost(index, POST),
  (index) => findPost(index, { ...BLOG, item: asItemId('none') }),
  (index) => findPost(index, DISCUSSED),
  (index) => findPost(index, ANNOUNCED),
  (index) => listPostTitles(index, BLOG, [POST.item]),
  (index) => listArrived(index, BLOG, { since: NOW, until: LATE, limit: 20 }),
  (index) => repost.listReposts(index, POST, { siteAuthors: AUTHORS, limit: 20 }),
  (index) => repost.findRepost(index, POST, STRANGER),
  (index) => repost.listRepostAddresses(index, POST, 20),
]

/** The newest page, the one before it, and back. */
async function readPages(index: IndexDb, query: PostQuery): Promise<void> {
  const { older } = await listPosts(index, query)
  if (older === undefined) return
  const { newer } = await listPosts(index, { ...query, before: older })
  await listPosts(index, { ...query, after: newer ?? older })
}

const conversationCalls: readonly Call[] = [
  (index) => comment.listComments(index, THREAD),
  (index) => comment.findComment(index, COMMENT),
  (index) => comment.findComment(index, COMMENT, READER),
  (index) => thread.listThread(index, { address: POST, comments: THREAD }),
  (index) => thread.listThread(index, { address: POST, comments: THREAD }, READER),
  (index) => thread.listThread(index, { address: DISCUSSED, comments: LONG }),
  (index) => thread.readThreadStamp(index, { address: DISCUSSED, comments: LONG }),
  (index) => thread.readThreadStamp(index, { address: ANNOUNCED }),
  (index) => thread.listThread(index, { address: ANNOUNCED }),
  (index) => thread.readThreadStamp(index, { address: POST, comments: THREAD }),
  async (index) => {
    const [place, reader] = [
      { address: POST, comments: THREAD },
      { jid: AUTHOR, readable: [] },
    ]
    await nodes.updateNode(index, THREAD, { status: 'restricted' })
    await thread.listThread(index, place, reader)
    for (const each of [reader, undefined]) await thread.hasUnshown(index, place, each)
    await nodes.updateNode(index, THREAD, { status: 'open' })
  },
  (index) => thread.findAnswerable(index, COMMENT),
  (index) => listTalkers(index, THREAD, READER),
  (index) => arrivals.hasWritten(index, { who: AUTHOR, most: 5 }, { by: 'arrivedAt', since: NOW, until: LATER }),
  (index) => arrivals.hasWritten(index, { who: AUTHOR, most: 5 }, { by: 'publishedAt', since: NOW, until: LATER }),
  ...[AUTHOR, undefined].map(
    (who): Call =>
      (index) =>
        arrivals.hasServerWritten(
          index,
          { who, thread: THREAD, post: POST, most: 5 },
          { by: 'arrivedAt', since: NOW, until: LATER },
        ),
  ),
  ...[AUTHOR, STRANGER].map(
    (who): Call =>
      (index) =>
        arrivals.hasShownComment(index, { who, blog: SMALL, except: COMMENT }),
  ),
  (index) => threadNode.listPostsOfThread(index, THREAD),
  (index) => threadNode.listRightfulPosts(index, THREAD),
  (index) => threadNode.listMissingThreads(index, AUTHOR, 20),
  (index) => threadNode.dropOrphanThread(index, THREAD),
  (index) => threadNode.dropOrphanThread(index, { ...THREAD, node: 'none' }),
  (index) => threadNode.dropAttachments(index, POST),
  (index) => threadNode.listAttachmentsNodes(index, SMALL, 25),
  (index) => threadNode.listAttachmentsNodes(index, BLOG, 25),
  (index) => reaction.countReactions(index, POST),
  (index) => reaction.countReactions(index, POST, READER),
  (index) => reaction.listSources(index, { post: POST, reactor: AUTHOR, emoji: '♥' }),
  (index) => reaction.listReactors(index, POST, { limit: 20, offset: 0, reader: READER }),
  (index) => reaction.deleteReactions(index, POST),
  (index) => reaction.deleteSomeReactions(index, POST, 500),
  (index) => reaction.deleteSomeReactions(index, BLOG, 500),
  async (index) => {
    const marked = await finish.markUnfinished(index, LONG)
    if (marked === undefined) throw new Error('The thread is not there')
    await heart.saveHearts(index, DISCUSSED, marked)
    await reaction.countReactions(index, DISCUSSED)
    await reaction.countReactions(index, DISCUSSED, READER)
    await reaction.listReactors(index, DISCUSSED, { limit: 20, offset: 0 })
    await findPost(index, DISCUSSED)
    await heart.deleteHearts(index, DISCUSSED, marked)
    await finish.endUnfinished(index, marked)
    await finish.endUnfinished(index, { ...marked, state: 'another' })
  },
  async (index) => {
    const { id } = await index
      .selectFrom('entry')
      .select('id')
      .where('isLike', '=', 1)
      .limit(1)
      .executeTakeFirstOrThrow()
    const said = { posts: [POST], reactor: STRANGER, source: COMMENT, sourceId: id, at: 1, arrivedAt: 1, hold: null }
    await reaction.saveReactions(index, { ...said, emoji: ['👍'] })
    await reaction.saveReactions(index, { ...said, emoji: ['♥'] })
    await holds.holdReactions(index, id, 'held')
  },
  (index) => news.listNewsEntries(index, { afterId: 100, since: NOW, limit: 20 }),
  (index) => news.listNewsAgain(index, { untilId: 10_000_000, since: NOW, limit: 20 }),
  (index) => news.findNewsEntry(index, COMMENT),
  (index) => news.findLastEntryId(index),
  (index) => news.listNewsReactions(index, { after: { arrivedAt: NOW.getTime(), place: 0 }, limit: 20 }),
  (index) => news.listPersonNames(index, AUTHORS),
  (index) => news.listNewsTitles(index, [POST]),
]

const TALK = talk.talkNode(ROOM)
const DAY = { from: NOW, to: LATE, limit: 20 }
const PLACE = { publishedAt: NOW.getTime() + 1, item: asItemId('talk-5') }

const roomCalls: readonly Call[] = [
  (index) => withNode(index, TALK, (id) => roomEntry.findAnnouncement(index, id, ANNOUNCED)),
  (index) => withNode(index, TALK, (id) => roomEntry.listAnnounced(index, id, 20)),
  (index) => withNode(index, SMALL, (id) => roomEntry.listPostsSince(index, id, { since: NOW, limit: 20 })),
  (index) => withNode(index, TALK, (id) => roomEntry.countMessages(index, id, NOW, LATE)),
  (index) => talk.listTalk(index, ROOM, DAY),
  (index) => talk.listTalk(index, ROOM, { ...DAY, before: PLACE }),
  (index) => talk.listTalk(index, ROOM, { ...DAY, after: PLACE, reader: STRANGER }),
  (index) => talk.findTalk(index, { ...TALK, item: asItemId('talk-5') }),
  (index) => talk.findTalkAround(index, ROOM, { before: NOW, from: NOW }),
  (index) => participant.findParticipant(index, ROOM, 'participant-1'),
  (index) => participant.listParticipants(index, ROOM, { except: STRANGER, limit: 20 }),
  (index) => participant.listParticipantsOf(index, ROOM, [STRANGER]),
  (index) => participant.countParticipants(index, ROOM),
  (index) => participant.saveParticipant(index, { channel: ROOM, id: 'new', isPresent: true, seenAt: NOW }),
  (index) => participant.dropOldParticipants(index, ROOM, 10),
]

const writingCalls: readonly Call[] = [
  (index) =>
    withNode(index, SMALL, async (nodeId) => {
      const row = entryRow({ nodeId, item: asItemId('new'), author: AUTHOR, at: 1, tags: [] })
      const id = await entry.saveEntry(index, row, ['new'])
      await entry.saveEntry(index, { ...row, id }, ['other'])
      await entry.findEntry(index, nodeId, row.item)
      await entry.savePayload(index, id, '<entry/>')
      await entry.countOverwrite(index, id)
      await judged.saveHold(index, id, { hold: 'removed' })
      await judged.saveHold(index, id, { hold: null, arrivedAt: NOW })
      await entry.listEntryDates(index, nodeId)
      await entry.countEntries(index, nodeId)
      await nodes.raiseMostItems(index, nodeId, 5)
      await entry.listOldestEntries(index, nodeId, 25)
      await entry.listOldestOfOthers(index, nodeId, { domains: ['evil.example', 'other.example'], limit: 3 })
      const entries = await entry.listSomeEntries(index, nodeId, 25)
      await entry.dropEntries(index, SMALL, { entries, at: NOW })
    }),
  (index) => readAll(entry.listPayloads(index, SMALL)),
  (index) => readAll(listContributed(index, 500)),
  (index) => withNode(index, LONG, (id) => replies.findItemByAtomId(index, id, 'none')),
  (index) => withNode(index, LONG, (id) => replies.linkAllReplies(index, { id, address: LONG })),
  ...[true, false].map(
    (isHeld) => (index: IndexDb) => withNode(index, LONG, (id) => listWritten(index, id, { isHeld })),
  ),
  async (index) => {
    const [found] = await stale.listStale(index, { reader: 1_000_000, limit: 10 })
    if (found === undefined) throw new Error('Nothing is stale')
    await stale.saveRemade(index, found.entry, { row: { reader: 1, tags: '["new"]' }, tags: ['new'] })
    await stale.markRead(index, found.entry.id, 1)
    await stale.dropUnreadable(index, found.entry.id)
  },
  (index) => emptying.listEmptying(index),
  (index) => emptying.markLeft(index, THREAD),
  (index) => hidden.countDoubted(index, { since: NOW, until: LATER }),
  (index) => hidden.listHiddenNodes(index, { losses: ['closed'], until: NOW, limit: 20 }),
  async (index) => {
    for (const address of [BLOG, THREAD, attachmentsOf(POST)]) {
      const node = await nodes.findNode(index, address)
      if (node === undefined) throw new Error(`${address.node} is not there`)
      await hidden.hasContent(index, node)
      await hidden.hideNode(index, node, { loss: 'closed', at: NOW })
      await reaction.countReactions(index, POST)
      await hidden.showNode(index, node, 'open')
      await hidden.showNode(index, node, 'restricted')
    }
  },
  (index) => restricted.listRestrictedFeeds(index),
  (index) => restricted.listRestrictedAmong(index, [BLOG, THREAD]),
  (index) => restricted.listRestrictedThreads(index, STRANGER, 50),
  (index) => known.saveKnownName(index, STRANGER, 'Romeo'),
  (index) => known.renameKnown(index, STRANGER, 'Rōmeo'),
  (index) => known.deleteKnownName(index, STRANGER),
  (index) => known.listNamesakes(index, ['romeo']),
  (index) => known.listThreadNamesakes(index, THREAD, ['romeo']),
  (index) => tombstone.findTombstone(index, POST),
  (index) => tombstone.deleteTombstone(index, POST),
  (index) => person.savePerson(index, { jid: STRANGER, name: 'Romeo', namedAt: NOW }),
  (index) => person.findPersonName(index, AUTHOR),
  (index) => person.addKnownPerson(index, STRANGER),
  (index) => person.deletePerson(index, STRANGER, 'Romeo'),
  (index) => subscription.savePublicSubscriptions(index, STRANGER, [{ address: BLOG }]),
  (index) => subscription.listPublicSubscriptions(index, AUTHOR, 20),
  (index) => original.addOriginal(index, POST),
  (index) => original.saveOriginal(index, POST, { reading: 'missing', at: NOW }),
  (index) => original.listKnownOriginals(index, [POST]),
  (index) => original.listDueOriginals(index, { now: NOW, patience: { unknown: 1, missing: 1, found: 1 }, limit: 20 }),
  (index) => original.dropUnusedOriginals(index),
  (index) => judged.listJudged(index, [POST, COMMENT]),
  (index) => judged.findJudged(index, POST),
  (index) => readAll(judged.listJudgedOf(index, STRANGER)),
  (index) => readAll(judged.listJudgedOf(index, jidOf('montague.example'))),
  (index) => readAll(judged.listJudgedOn(index, SMALL)),
]

/** Milliseconds within which all is due anyway: each slice is like the last, which finds nothing. */
const CENTURIES = 1e13

const nodeCalls: readonly Call[] = [
  (index) => nodes.findNode(index, BLOG),
  (index) => nodes.addNode(index, { address: { ...BLOG, node: 'new' }, kind: 'community', now: NOW }),
  (index) => nodes.updateNode(index, BLOG, { title: 'Balcony' }),
  (index) => nodes.sumNodes(index),
  (index) => nodes.listFeedNodes(index),
  (index) => nodes.countFeedProblems(index),
  (index) => held.countCutThreads(index),
  async (index) => {
    for (const address of [BLOG, THREAD]) {
      const node = await nodes.findNode(index, address)
      await held.sumHeldBytes(index, node ?? { id: 0, kind: 'blog' })
      await held.listLargestThreads(index, node ?? { id: 0 }, 20)
    }
  },
  (index) => nodes.deleteNode(index, SMALL),
  // Each part is like the last, and all of them would be most of what this test takes.
  (index) => readSome(schedule.listNodes(index), 50),
  (index) => schedule.listDueNodes(index, { now: LATER, longest: { feed: 1, thread: 1 }, limit: 500 }),
  async (index) => readAll(schedule.listRecentNodes(index, { since: await dayBeforeLast(index) })),
  async (index) =>
    readAll(schedule.listRecentNodes(index, { since: await dayBeforeLast(index), domain: 'montague.example' })),
  (index) => schedule.findNodeToRead(index, THREAD),
  (index) => schedule.noteUnreachable(index, 'montague.example', 'It is away'),
  (index) => schedule.postponeNodes(index, [1, 2, 3], NOW),
  (index) => schedule.listUnreadNodes(index, { now: LATER, longest: 1, limit: 500 }),
  (index) => schedule.spreadReadings(index, { now: NOW, within: CENTURIES }),
  (index) => schedule.spreadReadings(index, { now: NOW, within: CENTURIES, domain: 'montague.example' }),
]

/** A day of posts is as many in every index. */
async function dayBeforeLast(index: IndexDb): Promise<Date> {
  const last = await index.selectFrom('entry').select('arrivedAt').orderBy('arrivedAt', 'desc').limit(1).execute()
  return new Date((last[0]?.arrivedAt ?? 0) - 24 * 3_600_000)
}

/** To the end, part by part. */
async function readAll(parts: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of parts);
}

async function readSome(parts: AsyncIterable<unknown>, count: number): Promise<void> {
  let read = 0
  for await (const _ of parts) if (++read === count) return
}

async function withNode(index: IndexDb, address: NodeAddress, work: (id: number) => Promise<unknown>): Promise<void> {
  const node = await nodes.findNode(index, address)
  if (node === undefined) throw new Error(`${address.node} is not in the index`)
  await work(node.id)
}

/** One call at least of everything that the store can ask of the index, with what a page or an event would give it. */
export const INDEX_CALLS = [...postCalls, ...conversationCalls, ...roomCalls, ...writingCalls, ...nodeCalls]
