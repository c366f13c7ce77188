import { readTask } from '#server/feeds/task.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { sameAddress } from '#shared/address.ts'
import { textToHtml } from '#shared/markup.ts'
import { postPath } from '#shared/paths.ts'
import type { CommentView } from '#web/views.ts'
import { commentAnchor } from '../places.ts'
import type { Web } from '../web.ts'
import type { Thread } from './comment-view.ts'
import { viewWaiting } from './post-view.ts'

/** Comments that their author alone sees, as they are not on the network yet. */
export function viewUnsent({ ctx, tokens }: Web, thread: Thread): CommentView[] {
  const { page, rows, post, person } = thread
  if (person === undefined) return []
  const action = `${postPath({ domain: ctx.siteDomain }, post.address)}/comments/discard`
  const viewDiscard = ({ id, kind, status }: OutboxRow): CommentView['discard'] => {
    return { action, token: tokens.issue(person), row: id, mayEdit: kind === 'comment' && status === 'refused' }
  }
  const isShown = (row: OutboxRow) => page.comments.some((comment) => sameAddress(comment.row.address, row.address))
  return rows
    .filter((row) => !isShown(row))
    .reverse()
    .flatMap((row): CommentView[] => {
      const text = readUnsent(thread, row)
      if (text === undefined) return []
      return [
        {
          id: commentAnchor(row.address),
          author: { name: person.name, jid: person.jid },
          isAuthor: person.jid === post.author?.jid,
          isUnverified: false,
          published: row.createdAt.toISOString(),
          html: textToHtml(text),
          depth: 0,
          waiting: viewWaiting(row),
          ...(row.status !== 'waiting' && { discard: viewDiscard(row) }),
        },
      ]
    })
}

/** The text of a comment on this thread; of what is said in a room, where it answers what is on this page. */
function readUnsent({ page, post }: Thread, row: OutboxRow): string | undefined {
  const task = readTask(row)
  if (task.kind === 'comment') {
    const isHere = row.address.service === post.comments?.service && row.address.node === post.comments.node
    return isHere ? task.text : undefined
  }
  if (task.kind !== 'room-message' || !('text' in task) || task.inReplyTo === undefined) return undefined
  const { inReplyTo } = task
  return page.comments.some((comment) => sameAddress(comment.row.address, inReplyTo)) ? task.text : undefined
}
