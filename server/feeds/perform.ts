import type { OutboxRow } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { performComment, performRemoveComment } from './perform-comment.ts'
import { performDelete } from './perform-delete.ts'
import { performPost } from './perform-post.ts'
import { performRelink } from './perform-relink.ts'
import { performSettings } from './perform-settings.ts'
import { readTask, type Task } from './task.ts'

export interface Performance<T extends Task = Task> {
  /** The account's own. */
  readonly session: XmppSession
  /** `attempts` of it counts the earlier ones: after the first the network may know the item. */
  readonly row: OutboxRow
  readonly task: T
}

/** Does what a row says, on the network and then in the index. Again does no harm. Fails by AppError. */
export async function perform(deps: OutboxDeps, session: XmppSession, row: OutboxRow): Promise<void> {
  const task = readTask(row)
  switch (task.kind) {
    case 'post':
      return performPost(deps, { session, row, task })
    case 'delete':
      return performDelete(deps, { session, row, task })
    case 'comment':
      return performComment(deps, { session, row, task })
    case 'remove-comment':
      return performRemoveComment(deps, { session, row, task })
    case 'settings':
      return performSettings(deps, { session, row, task })
    case 'relink':
      return performRelink(deps, { session, row, task })
  }
}
