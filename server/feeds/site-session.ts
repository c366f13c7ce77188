import { AppError } from '#server/errors.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'

export interface SiteDeps {
  readonly sessions: (jid: BareJid) => XmppSession | undefined
  readonly siteJid?: BareJid
}

/** The site account's session, to be asked now; `unavailable` where it is not online. */
export function requireSite({ sessions, siteJid }: SiteDeps): XmppSession {
  const site = siteJid === undefined ? undefined : sessions(siteJid)
  if (site?.status !== 'online') throw new AppError('unavailable', 'The site is not connected now')
  return site
}
