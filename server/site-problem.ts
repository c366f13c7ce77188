import { type BareJid, domainOf } from '#shared/jid.ts'
import type { Config } from './config.ts'
import { AppError, describeError, isAppError } from './errors.ts'
import { isCertificateError } from './xmpp/errors.ts'

/** Why the site account is not online, and what the operator can do. */
export function explainSiteProblem(error: unknown, config: Config, jid: BareJid): AppError {
  if (isAppError(error, 'not-authorized', 'forbidden')) {
    const mended = config.isLocal
      ? 'is there a second server on its port?'
      : 'correct CANTO_XMPP_JID and CANTO_XMPP_PASSWORD'
    return new AppError('not-authorized', `The XMPP server refused the password of ${jid}: ${mended}`, { cause: error })
  }
  const where = config.xmpp?.service ?? `the server of ${jid}`
  const reason = describeError(error).replace(/\.$/, '')
  const words = `Cannot get ${jid} online at ${where} (${reason}): ${mend(error, config, jid)}`
  return new AppError('unavailable', words, { cause: error })
}

function mend(error: unknown, { isLocal, xmpp }: Config, jid: BareJid): string {
  if (isLocal) return 'run npm start again'
  if (isCertificateError(error)) {
    return `give it a certificate for ${domainOf(jid)} that everybody trusts, or name the file of its own authority in NODE_EXTRA_CA_CERTS`
  }
  return xmpp?.service === undefined
    ? 'check that it runs, or name its address in CANTO_XMPP_SERVICE'
    : 'check that it runs, and CANTO_XMPP_SERVICE'
}
