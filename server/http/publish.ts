import { queuePost } from '#server/feeds/queue.ts'
import { dropDraft, rescueDraft } from '#server/people/drafts.ts'
import type { Draft } from '#server/store/draft.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { AppContext } from './context.ts'
import { readPostDraft } from './write-form.ts'

/** So long an answer waits for the network, before it says that something waits. */
const SETTLE_MS = 4_000
const OFFLINE_MS = 200

/** The row once it is done, or as it is after a moment; sooner where nothing can happen. */
export function settle({ outbox, sessions }: AppContext, { id, account }: OutboxRow): Promise<OutboxRow> {
  return outbox.settle(id, sessions(account)?.status === 'online' ? SETTLE_MS : OFFLINE_MS)
}

/** Publishes a draft, and keeps it until it is out. Rejects with conflict where the post was changed meanwhile. */
export async function publishDraft(ctx: AppContext, draft: Draft): Promise<OutboxRow> {
  const post = readPostDraft(draft)
  await rescueDraft(ctx, draft)
  const { jid: author, id: key, to, edits, baseUpdated } = draft
  const queued = await queuePost(ctx, { author, key, draft: post, to, edits, baseUpdated })
  // Sent once more after it was out: nobody else would end its draft.
  if (queued.status === 'done') await dropDraft(ctx.state, author, key)
  return settle(ctx, queued)
}
