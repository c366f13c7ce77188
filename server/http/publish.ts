import { queuePost } from '#server/feeds/queue.ts'
import { keepDraft } from '#server/people/drafts.ts'
import type { Draft } from '#server/store/draft.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { AppContext } from './context.ts'
import { readPostDraft } from './write-form.ts'

/** So long an answer waits for the network, before it says that the post waits. */
export const SETTLE_MS = 4_000

/** Publishes a draft, and keeps it until it is out. Rejects with conflict where the post was changed meanwhile. */
export async function publishDraft(ctx: AppContext, draft: Draft): Promise<OutboxRow> {
  const post = readPostDraft(draft)
  await keepDraft(ctx.state, draft)
  const { jid: author, id: key, edits, baseUpdated } = draft
  const queued = await queuePost(ctx, { author, key, draft: post, edits, baseUpdated })
  return ctx.outbox.settle(queued.id, SETTLE_MS)
}
