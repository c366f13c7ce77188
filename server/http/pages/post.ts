import type { FastifyReply, FastifyRequest } from 'fastify'
import { seePost } from '#server/feeds/notify/seen.ts'
import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import { markRead } from '#server/people/reading.ts'
import { findNode } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { listOutbox } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { findRoomMember, findRoomOfBlog } from '#server/store/room.ts'
import { hasUnshown } from '#server/store/thread.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { sameAddress, writeXmppUri } from '#shared/address.ts'
import { postPath } from '#shared/paths.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import type { Notice, PostPageView } from '#web/views.ts'
import type { AppContext } from '../context.ts'
import { readMentionPaths } from '../mention-paths.ts'
import { isSiteFeed } from '../places.ts'
import { listThreadNodes, readerOf } from '../readable.ts'
import { findRights } from '../rights.ts'
import { LIVE } from '../routes/live.ts'
import { blogTitle, requireFeed, requirePost } from '../shown.ts'
import { readThreadNames } from '../thread-names.ts'
import { readPostVersion } from '../versions.ts'
import type { Web } from '../web.ts'
import { viewComments } from './comment-view.ts'
import { type Typing, viewCommenting } from './commenting.ts'
import { viewFollow } from './lists.ts'
import { viewModeratePost } from './moderate-post.ts'
import { viewThreadWish } from './notifications.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewPost, viewWaiting } from './post-view.ts'
import { viewReactions } from './reactions.ts'
import { viewRoomLink } from './room-link.ts'
import { viewRepost, viewShares } from './share.ts'
import { readThreadPage, type ThreadPage, type ThreadQuery } from './thread-page.ts'
import { viewThreadPages, writeThreadQuery } from './thread-paging.ts'

export interface PostPage extends Omit<Typing, 'post' | 'commentsNode'> {
  readonly address: ItemAddress
  /** Which of its comments. */
  readonly thread?: ThreadQuery
  readonly status?: number
  /** A comment was removed just now: by who may put it back, or by its writer, who could only empty it. */
  readonly removed?: 'kept' | 'emptied'
  /** Why a reaction could not be sent. */
  readonly notReacted?: string
}

const REMOVED: Readonly<Record<'kept' | 'emptied', Notice>> = {
  kept: {
    lead: 'Removed.',
    text: 'It is kept, should you want it back.',
    link: { href: '/moderation', text: 'Put it back' },
  },
  emptied: {
    lead: 'Removed.',
    text: 'Its server lets only the owner of the blog delete comments, so yours was emptied: other programs may show an empty comment.',
  },
}

export async function sendPostPage(web: Web, exchange: Exchange, page: PostPage): Promise<FastifyReply> {
  const { ctx } = web
  const { person } = exchange.visit
  const post = await requirePost(ctx, page.address, person)
  const blog = await requireFeed(ctx, page.address, person)
  if (isOpened(exchange.request)) {
    if (person !== undefined) await markRead(ctx, person.jid, post)
    if (person !== undefined) await seePost(ctx, person.jid, page.address)
    // Not within this request: the thread only gets its turn earlier.
    if (post.comments !== undefined) ctx.indexing?.viewed(post.comments)
    ctx.indexing?.viewed(attachmentsOf(post.address))
    if (person !== undefined) ctx.permits?.look(person.jid, listThreadNodes(post))
  }
  const commentsNode = post.comments && (await findNode(ctx.index, post.comments))
  const reader = readerOf(ctx, person, post)
  const rows = person === undefined ? [] : await listOutbox(ctx.state, person.jid)
  const rights = await findRights(ctx, post, person)
  const thread = await readThreadPage(ctx.index, post, { query: page.thread ?? {}, reader })
  const isOfSite = await isSiteFeed(ctx, page.address)
  const path = postPath({ domain: ctx.siteDomain }, page.address)
  const follow = viewFollow(web, blog, isOfSite)
  const feeds = follow.feedUrl === undefined ? [] : [{ href: follow.feedUrl, title: blogTitle(blog) }]
  const pathOf = await readMentionPaths(ctx, [post, ...thread.comments.map(({ row }) => row)])
  const shown = thread.comments.flatMap(({ row, parent }) => [row, parent])
  const names = await readThreadNames(ctx.index, post, shown, [blog.author, post.repost?.author])
  const commentsFeed = isOfSite && post.comments !== undefined ? { commentsFeedUrl: `${path}/atom.xml` } : {}
  return sendPage(web, exchange, {
    name: 'post',
    status: page.status,
    head: {
      ...{ title: post.title, description: post.summary ?? post.excerpt, language: blog.language, ogType: 'article' },
      xmppUri: writeXmppUri(post.address),
      notices: [
        ...(page.removed !== undefined && person !== undefined ? [REMOVED[page.removed]] : []),
        ...describeRows(rows, { address: page.address, path }),
      ],
      feeds,
      ...(isOfSite
        ? { canonicalPath: writeCanonical(path, thread) }
        : { noindex: true, canonicalPath: post.alternate }),
    },
    view: {
      post: viewPost(web, post, { blog, person, rights, pathOf, names }),
      ...(await viewSpread(web, post)),
      reactions:
        post.repost === undefined
          ? await viewReactions(web, { post, rows, person, problem: page.notReacted })
          : undefined,
      follow,
      ...(await viewRoomLink(web, page.address)),
      comments: viewComments(web, {
        ...{ post, page: thread, rows, person, isModerator: rights.isModerator, pathOf, names },
        isInRoom: await isInRoom(ctx, page.address, person),
      }),
      commentCount: thread.count,
      ...((await hasUnshown(ctx.index, post, reader)) && { unshown: person === undefined ? 'signed-out' : 'unproved' }),
      pages: viewThreadPages(ctx, post, thread),
      isCut: commentsNode?.backfill === 'cut' || commentsNode?.backfill === 'partial',
      ...(await viewCommenting(web, exchange, { ...page, post, commentsNode })),
      ...commentsFeed,
      ...(await viewModeratePost(web, post, person)),
      ...(person && { threadWish: await viewThreadWish(web, person, page.address) }),
      live: { url: `${path}/${LIVE}`, version: await readPostVersion(ctx, post, reader) },
    },
  })
}

/** Of a repost where people talk about it; of any other who shared it. */
async function viewSpread(web: Web, post: PostRow): Promise<Pick<PostPageView, 'original' | 'shares'>> {
  const repost = viewRepost(web, post)
  if (repost !== undefined) return { original: { url: repost.url, commentCount: post.repost?.commentCount ?? 0 } }
  return { shares: await viewShares(web, post) }
}

/** Both views of a thread, and whatever page of the flat one, have the same comments. */
function writeCanonical(path: string, { isFlat, number }: ThreadPage): string {
  return `${path}${writeThreadQuery({ isFlat: false, number: isFlat ? 1 : number })}`
}

async function isInRoom({ state }: AppContext, blog: NodeAddress, person: Person | undefined): Promise<boolean> {
  if (person === undefined) return false
  const room = await findRoomOfBlog(state, blog)
  return room !== undefined && (await findRoomMember(state, room.channel, person.jid)) !== undefined
}

/** By a person: not to see whether it is there, nor in advance by a browser. */
function isOpened({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && !String(headers['sec-purpose'] ?? '').includes('prefetch')
}

/** What the author of a published post wants done with it and is not done. */
function describeRows(
  rows: readonly OutboxRow[],
  { address, path }: { address: ItemAddress; path: string },
): readonly Notice[] {
  return rows.flatMap((row): Notice[] => {
    const task = readTask(row)
    const isClosing = task.kind === 'close-thread' && task.isAsked === true && sameAddress(task.post, address)
    if (!isClosing && !sameAddress(row.address, address)) return []
    const { reason, isRefused } = viewWaiting(row)
    const kind = isRefused ? 'error' : 'waiting'
    if (isClosing) return [{ lead: isRefused ? 'Not done.' : 'Sent.', text: reason, kind }]
    if (row.status === 'done') return [{ lead: 'Sent.', text: reason, kind }]
    if (task.kind === 'delete') return [{ lead: isRefused ? 'Not deleted.' : 'Not deleted yet.', text: reason, kind }]
    if (task.kind !== 'post') return []
    const link = { href: `${path}/edit?${new URLSearchParams({ draft: task.draftId })}`, text: 'Your text' }
    const lead = isRefused ? 'Your changes were not published.' : 'Your changes are not published yet.'
    return [{ lead, text: reason, kind, ...(isRefused ? { link } : {}) }]
  })
}
