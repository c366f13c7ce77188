import type { Config } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { type BareJid, domainOf, isSameOrSubdomain } from '#shared/jid.ts'

type Reach = Pick<Config, 'isLocal' | 'local'>

/** Why nothing of an account or a service can be had here, in a sentence: the site's own private server talks to no other. */
export function explainReach({ isLocal, local: { domain } }: Reach, jid: BareJid): string | undefined {
  if (!isLocal || isSameOrSubdomain(domainOf(jid), domain)) return undefined
  return `This site has an XMPP server of its own that talks to no other server: only accounts and communities of ${domain} can be followed here. (Its operator can change that: CANTO_XMPP_JID.)`
}

/** Throws `forbidden` with that sentence. */
export function requireReach(config: Reach, jid: BareJid): void {
  const words = explainReach(config, jid)
  if (words !== undefined) throw new AppError('forbidden', words)
}
