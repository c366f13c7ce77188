import { AppError } from '#server/errors.ts'
import { domainOf } from '#shared/jid.ts'
import type { XmppSession } from './ports.ts'

type Awaited = Pick<XmppSession, 'jid' | 'status' | 'problem' | 'onStatus'>

/** Resolves once `session` is online; rejects when it never will be, or not in time. */
export async function whenOnline(session: Awaited, timeoutMs: number): Promise<void> {
  const { jid } = session
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const settle = () => {
    const { status, problem } = session
    if (status === 'online') resolve()
    else if (status === 'refused' || status === 'stopped') {
      reject(problem ?? new AppError('unavailable', `The session of ${jid} has ended`))
    }
  }
  const late = () =>
    reject(session.problem ?? new AppError('timeout', `The XMPP server of ${domainOf(jid)} does not answer`))
  const timer = setTimeout(late, timeoutMs)
  const stop = session.onStatus(settle)
  settle()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    stop()
  }
}
