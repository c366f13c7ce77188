import { AppError } from '#server/errors.ts'
import { findAuthor } from '#server/store/author.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addAuthor, prepareBlog } from './authors.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { WaitingError } from './waiting-error.ts'

// An answer given here wakes the row; this wait is for an answer by another client.
const CONSENT_SECONDS = 300
const prepared = new WeakSet<XmppSession>()

/** Sees once a session that its account's blog is there and may be shown. */
export async function prepare(deps: OutboxDeps, session: XmppSession): Promise<void> {
  if (prepared.has(session)) return
  const isKnown = (await findAuthor(deps.state, session.jid)) !== undefined
  const outcome = isKnown ? await prepareBlog(deps, session.jid) : await addAuthor(deps, session.jid)
  if (outcome.kind === 'needs-consent') {
    const words = 'Your blog is not open to everybody yet: say first whether it may be'
    throw new WaitingError('needs-consent', words, { retryAfter: CONSENT_SECONDS })
  }
  if (outcome.kind === 'refused') {
    throw new AppError('forbidden', 'Your blog is not open to everybody, and you said that it shall stay so')
  }
  if (outcome.kind === 'waiting') throw new AppError('unavailable', 'Your XMPP server cannot be reached now')
  prepared.add(session)
}

/** The node may have changed: look again before the next post. */
export function forgetPrepared(session: XmppSession): void {
  prepared.delete(session)
}
