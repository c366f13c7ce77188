import type { CommentTask } from '#server/feeds/task.ts'
import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import type { CommentRow } from '#server/store/comment.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { sameAddress, writeXmppUri } from '#shared/address.ts'
import { textToHtml } from '#shared/markup.ts'
import { postPath, writeItemSegment } from '#shared/paths.ts'
import type { CommentView, WaitingView } from '#web/views.ts'
import { commentAnchor } from '../places.ts'
import { ownerOfComments } from '../rights.ts'
import type { Web } from '../web.ts'
import { forPage, viewWaiting } from './post-view.ts'

/** Deeper answers are flat, and say whom they answer. */
const DEEPEST = 3

export interface Thread {
  readonly post: PostRow
  readonly comments: readonly CommentRow[]
  /** What the person who looks has waiting. */
  readonly rows: readonly OutboxRow[]
  readonly person: Person | undefined
  /** Whether they look after the community in which the post is. */
  readonly isModerator: boolean
}

export function viewComments(web: Web, thread: Thread): CommentView[] {
  const { post, comments, rows, person, isModerator } = thread
  const names = new Map(comments.map((row) => [row.address.item, nameOf(row)]))
  const shown = comments.map((row): CommentView => {
    const path = postPath({ domain: web.ctx.siteDomain }, post.address)
    const segment = writeItemSegment(row.address.item)
    const isRemovable = person !== undefined && mayRemove(person, { post, comment: row, isModerator })
    const removal = rows.find(({ kind, address }) => kind === 'remove-comment' && sameAddress(address, row.address))
    const to = row.depth > DEEPEST && row.inReplyTo !== undefined ? names.get(row.inReplyTo.item) : undefined
    return {
      id: commentAnchor(row.address.item),
      author: { name: nameOf(row), ...(row.author === undefined ? {} : { jid: row.author.jid }) },
      isAuthor: row.credit !== 'unverified' && row.author !== undefined && row.author.jid === post.author?.jid,
      isUnverified: row.credit === 'unverified',
      ...(row.credit === 'according' ? { accordingTo: row.address.service } : {}),
      published: row.published.toISOString(),
      html: forPage(web, row.html),
      ...{ language: row.language, depth: Math.min(row.depth, DEEPEST), to },
      inReplyTo: writeXmppUri(row.inReplyTo ?? post.address),
      ...(person === undefined ? {} : { replyUrl: `${path}?reply=${segment}#comment` }),
      ...(isRemovable ? { removeUrl: `${path}/comments/${segment}/remove` } : {}),
      ...(removal === undefined ? {} : { waiting: viewRemoval(removal) }),
    }
  })
  return [...shown, ...viewUnsent(thread)]
}

function viewRemoval(row: OutboxRow): WaitingView {
  const waiting = viewWaiting(row)
  return {
    ...waiting,
    reason: `${waiting.isRefused ? 'It cannot be removed.' : 'It is being removed.'} ${waiting.reason}`,
  }
}

/** Comments that their author alone sees, as they are not on the network yet. */
function viewUnsent({ post, comments, rows, person }: Thread): CommentView[] {
  const { comments: node } = post
  if (node === undefined || person === undefined) return []
  const unsent = rows.filter(({ kind, address }) => {
    const isHere = kind === 'comment' && address.service === node.service && address.node === node.node
    return isHere && !comments.some((row) => sameAddress(row.address, address))
  })
  return unsent.reverse().map((row) => {
    const task = readTask(row) as CommentTask
    return {
      id: commentAnchor(row.address.item),
      author: { name: person.name, jid: person.jid },
      isAuthor: person.jid === post.author?.jid,
      isUnverified: false,
      published: task.published,
      html: textToHtml(task.text),
      depth: 0,
      waiting: viewWaiting(row),
    }
  })
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
    readonly comment: Pick<CommentRow, 'author' | 'credit'>
  },
): boolean {
  return (
    isModerator || jid === ownerOfComments(post) || (comment.credit !== 'unverified' && comment.author?.jid === jid)
  )
}

export function nameOf({ author, claimedName }: CommentRow): string {
  return author?.name ?? claimedName ?? 'Somebody'
}
