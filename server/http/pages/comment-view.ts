import type { Person } from '#server/people/people.ts'
import { type CommentRow, writerOf } from '#server/store/comment.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { sameAddress, writeXmppUri } from '#shared/address.ts'
import { sayAddress } from '#shared/look-alike.ts'
import { linkMentions } from '#shared/markup.ts'
import { commentPath, postPath, writeCommentSegment } from '#shared/paths.ts'
import type { CommentView, WaitingView } from '#web/views.ts'
import type { MentionPath } from '../mention-paths.ts'
import { commentAnchor } from '../places.ts'
import { ownerOfComments } from '../rights.ts'
import { roomPath } from '../room-paths.ts'
import type { ThreadNames } from '../thread-names.ts'
import type { Web } from '../web.ts'
import { forPage, MOST_COMMENT_PICTURES, viewWaiting } from './post-view.ts'
import type { ThreadComment, ThreadPage } from './thread-page.ts'
import { writeThreadQuery } from './thread-paging.ts'
import { viewUnsent } from './unsent-comments.ts'

/** Deeper answers are flat, and say whom they answer. */
const DEEPEST = 3

export interface Thread {
  readonly post: PostRow
  readonly page: ThreadPage
  /** What the person who looks has waiting. */
  readonly rows: readonly OutboxRow[]
  readonly person: Person | undefined
  /** Whether they look after the community in which the post is. */
  readonly isModerator: boolean
  /** Whether they have joined the blog's room. */
  readonly isInRoom: boolean
  /** Paths of those whom the comments mention. */
  readonly pathOf: MentionPath
  readonly names: ThreadNames
}

export function viewComments(web: Web, thread: Thread): CommentView[] {
  const shown = thread.page.comments.map((comment) => viewComment(web, thread, comment))
  return [...shown, ...viewUnsent(web, thread)]
}

function viewComment(web: Web, thread: Thread, comment: ThreadComment): CommentView {
  const { post, rows } = thread
  const { row, depth, parent, isBelowParent } = comment
  const writer = writerOf(row)
  const site = { domain: web.ctx.siteDomain }
  const removal = rows.find(({ kind, address }) => kind === 'remove-comment' && sameAddress(address, row.address))
  const saysWhom = parent !== undefined && (depth > DEEPEST || !isBelowParent)
  return {
    id: commentAnchor(row.address),
    url: commentPath(site, post.address, row.address),
    author: thread.names.view(row),
    isAuthor: writer !== undefined && writer.jid === post.author?.jid,
    isUnverified: row.credit === 'unverified',
    ...(row.credit === 'according' && !row.isFromRoom ? { accordingTo: sayAddress(row.address.service) } : {}),
    ...{ isFromRoom: row.isFromRoom, isHeld: row.isHeld },
    ...(row.contributor && {
      proof: { site: web.ctx.config.title, jid: row.contributor.jid, how: row.contributor.how },
    }),
    published: row.published.toISOString(),
    edited: row.isEdited ? row.updated.toISOString() : undefined,
    html: forPage(web, linkMentions(row.html, row.marks, thread.pathOf), MOST_COMMENT_PICTURES),
    ...{ language: row.language, depth: Math.min(depth, DEEPEST) },
    ...(saysWhom ? { to: thread.names.sayWriter(parent), toUrl: commentPath(site, post.address, parent.address) } : {}),
    inReplyTo: writeXmppUri(row.inReplyTo ?? post.address),
    ...viewActions(web, thread, row),
    ...(removal === undefined ? {} : { waiting: viewRemoval(removal) }),
  }
}

/** What the person who looks may do with it. */
function viewActions(web: Web, thread: Thread, row: CommentRow): Partial<CommentView> {
  const { post, person, isModerator, page } = thread
  const site = { domain: web.ctx.siteDomain }
  const isOwn = person !== undefined && writerOf(row)?.jid === person.jid
  const report = isOwn || row.isHeld ? {} : { reportUrl: `${commentPath(site, post.address, row.address)}/report` }
  const path = postPath(site, post.address)
  const query = writeThreadQuery(page, { reply: writeCommentSegment(row.address) })
  const replyUrl = `${path}${query}#comment`
  if (person === undefined) return { ...report, ...(!row.isFromRoom && { replyUrl }) }
  const isOwner = isModerator || person.jid === ownerOfComments(post)
  return {
    ...report,
    ...(isOwner && !isOwn && { blockUrl: `/moderation?${new URLSearchParams({ about: writeXmppUri(row.address) })}` }),
    ...(row.isFromRoom && !thread.isInRoom ? { roomUrl: roomPath(site, post.address) } : { replyUrl }),
    ...(mayRemove(person, { post, comment: row, isModerator })
      ? { removeUrl: `${commentPath(site, post.address, row.address)}/remove` }
      : {}),
  }
}

function viewRemoval(row: OutboxRow): WaitingView {
  const waiting = viewWaiting(row)
  return {
    ...waiting,
    isRemoval: true,
    reason: `${waiting.isRefused ? 'It cannot be removed.' : 'It is being removed.'} ${waiting.reason}`,
  }
}

/** The author of the post may remove any comment, as may who looks after its community; everybody their own. */
export function mayRemove(
  { jid }: Person,
  {
    post,
    comment,
    isModerator,
  }: Pick<Thread, 'isModerator'> & {
    readonly post: Pick<PostRow, 'address' | 'author'>
    readonly comment: CommentRow
  },
): boolean {
  return isModerator || jid === ownerOfComments(post) || writerOf(comment)?.jid === jid
}
