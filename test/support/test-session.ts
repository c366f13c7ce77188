import { randomUUID } from 'node:crypto'
import type { Logger } from '#server/log.ts'
import type { SessionOptions, XmppSession } from '#server/xmpp/ports.ts'
import { openSession } from '#server/xmpp/session.ts'
import type { BareJid } from '#shared/jid.ts'

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A session of `user` that a test need not describe further, stopped when the test ends. */
export function openTestSession(
  server: { readonly domain: string; readonly service: string },
  user: string,
  options: Partial<SessionOptions> = {},
): XmppSession & AsyncDisposable {
  const session = openSession({
    jid: `${user}@${server.domain}` as BareJid,
    service: server.service,
    credentials: () => ({ password: `password of ${user}` }),
    userAgentId: randomUUID(),
    isSite: false,
    log: SILENT,
    ...options,
  })
  return Object.defineProperty(session, Symbol.asyncDispose, { value: () => session.stop() }) as XmppSession &
    AsyncDisposable
}
