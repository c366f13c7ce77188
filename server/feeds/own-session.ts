import { AppError, describeError } from '#server/errors.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'

export interface OwnSessionDeps {
  readonly sessions: (jid: BareJid) => XmppSession | undefined
}

/** Somebody's own session, to be asked while they wait; `unavailable`, and why, where it is not online. */
export function requireOwnSession({ sessions }: OwnSessionDeps, jid: BareJid): XmppSession {
  const session = sessions(jid)
  if (session?.status === 'online') return session
  const unknown = 'Your XMPP server cannot be reached now. Try again in a moment.'
  throw new AppError('unavailable', session?.problem === undefined ? unknown : describeError(session.problem))
}
