import type { FastifyReply, FastifyRequest } from 'fastify'
import { readTask } from '#server/feeds/task.ts'
import { findCommentDraft } from '#server/people/drafts.ts'
import { markRead } from '#server/people/reading.ts'
import type { CommentRow } from '#server/store/comment.ts'
import { listComments } from '#server/store/comment.ts'
import { findNode } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { listOutbox } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { sameAddress, writeXmppUri } from '#shared/address.ts'
import { postPath, readItemSegment } from '#shared/paths.ts'
import type { CommentFormView, Notice, PostPageView } from '#web/views.ts'
import { isSiteFeed } from '../places.ts'
import { findRights } from '../rights.ts'
import { LIVE } from '../routes/live.ts'
import { blogTitle, requireFeed, requirePost } from '../shown.ts'
import { writePostVersion } from '../versions.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import { viewComments } from './comment-view.ts'
import { viewFollow } from './lists.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewPost, viewWaiting } from './post-view.ts'
import { type VisitorWords, viewVisitorForm } from './proof.ts'
import { viewRoomLink } from './room-link.ts'
import { sayDomains } from './sign-in.ts'

export interface PostPage {
  readonly address: ItemAddress
  /** The segment of the comment that is answered. */
  readonly reply?: string | undefined
  /** A comment that could not be sent, and why. */
  readonly typed?: string
  readonly problem?: string
  readonly status?: number
  /** What somebody typed who is not signed in. */
  readonly visitor?: VisitorWords['visitor']
}

export async function sendPostPage(web: Web, exchange: Exchange, page: PostPage): Promise<FastifyReply> {
  const { ctx } = web
  const { person } = exchange.visit
  const post = await requirePost(ctx, page.address, person)
  const blog = await requireFeed(ctx, page.address)
  if (isOpened(exchange.request)) {
    if (person !== undefined) await markRead(ctx, person.jid, post)
    // Not within this request: the thread only gets its turn earlier.
    if (post.comments !== undefined) ctx.indexing?.viewed(post.comments)
  }
  const rows = person === undefined ? [] : await listOutbox(ctx.state, person.jid)
  const rights = await findRights(ctx, post, person)
  const comments = post.comments === undefined ? [] : await listComments(ctx.index, post.comments)
  const isOfSite = await isSiteFeed(ctx, page.address)
  const path = postPath({ domain: ctx.siteDomain }, page.address)
  const follow = viewFollow(web, blog, isOfSite)
  const feeds = follow.feedUrl === undefined ? [] : [{ href: follow.feedUrl, title: blogTitle(blog) }]
  const commentsFeed = isOfSite && post.comments !== undefined ? { commentsFeedUrl: `${path}/atom.xml` } : {}
  return sendPage(web, exchange, {
    name: 'post',
    status: page.status,
    head: {
      ...{ title: post.title, description: post.summary ?? post.excerpt, language: blog.language, ogType: 'article' },
      xmppUri: writeXmppUri(post.address),
      notices: describeRows(rows, { address: page.address, path }),
      feeds,
      ...(isOfSite ? { canonicalPath: path } : { noindex: true, canonicalPath: post.alternate }),
    },
    view: {
      post: viewPost(web, post, { blog, person, rights }),
      follow,
      ...(await viewRoomLink(web, page.address)),
      comments: viewComments(web, { post, comments, rows, person, isModerator: rights.isModerator }),
      ...(await viewCommenting(web, exchange, { ...page, post, comments })),
      ...commentsFeed,
      live: { url: `${path}/${LIVE}`, version: writePostVersion(post, comments) },
    },
  })
}

/** By a person: not to see whether it is there, nor in advance by a browser. */
function isOpened({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && !String(headers['sec-purpose'] ?? '').includes('prefetch')
}

type Commenting = Pick<PostPageView, 'form' | 'howTo' | 'closed'>

/** The form, or how to comment without it, or why nobody can. */
async function viewCommenting(
  web: Web,
  { visit }: Exchange,
  page: PostPage & { post: PostRow; comments: readonly CommentRow[] },
): Promise<Commenting> {
  const { ctx } = web
  const { post } = page
  if (post.comments === undefined) return { closed: 'This post takes no comments.' }
  const problem = await findThreadProblem(web, post.comments)
  if (problem !== undefined) return { closed: problem }
  const path = postPath({ domain: ctx.siteDomain }, post.address)
  if (visit.person !== undefined) return { form: await viewForm(web, { ...page, jid: visit.person.jid, path }) }
  const next = new URLSearchParams({ next: `${path}#comment` })
  const domains = sayDomains(ctx.config)
  const visitor = viewVisitorForm(web, { ...page, path, replyTo: findAnswered(page, path) })
  return { howTo: { signinUrl: `/signin?${next}`, xmppUri: writeXmppUri(post.comments), domains, visitor } }
}

// Libervia links to nodes that it then fails to make (peers.md).
async function findThreadProblem({ ctx }: Web, address: NodeAddress): Promise<string | undefined> {
  const node = await findNode(ctx.index, address)
  if (node?.status === 'deleted') return 'Comments are not possible: the place for them is not there.'
  return node?.status === 'closed' ? 'Comments are not possible: the place for them is closed.' : undefined
}

async function viewForm(
  { ctx, tokens }: Web,
  page: PostPage & { post: PostRow; comments: readonly CommentRow[]; jid: OutboxRow['account']; path: string },
): Promise<CommentFormView> {
  const { post, jid, path, typed, problem } = page
  const text = typed ?? (await findCommentDraft(ctx.state, jid, post.address))
  return {
    action: `${path}/comments`,
    token: tokens.issue(jid),
    key: createFormKey(),
    ...{ jid, text, problem, replyTo: findAnswered(page, path) },
  }
}

function findAnswered(
  { comments, reply }: PostPage & { comments: readonly CommentRow[] },
  path: string,
): CommentFormView['replyTo'] {
  const item = reply === undefined ? undefined : readItemSegment(reply)
  const answered = comments.find(({ address }) => address.item === item)
  if (answered === undefined || reply === undefined) return undefined
  return { name: answered.author?.name ?? answered.claimedName ?? '?', item: reply, cancelUrl: `${path}#comment` }
}

/** What the author of a published post wants done with it and is not done. */
function describeRows(
  rows: readonly OutboxRow[],
  { address, path }: { address: ItemAddress; path: string },
): readonly Notice[] {
  return rows.flatMap((row): Notice[] => {
    if (!sameAddress(row.address, address)) return []
    const task = readTask(row)
    const { reason, isRefused } = viewWaiting(row)
    const kind = isRefused ? 'error' : 'waiting'
    if (task.kind === 'delete') return [{ lead: isRefused ? 'Not deleted.' : 'Not deleted yet.', text: reason, kind }]
    if (task.kind !== 'post') return []
    const link = { href: `${path}/edit?${new URLSearchParams({ draft: task.draftId })}`, text: 'Your text' }
    const lead = isRefused ? 'Your changes were not published.' : 'Your changes are not published yet.'
    return [{ lead, text: reason, kind, ...(isRefused ? { link } : {}) }]
  })
}
