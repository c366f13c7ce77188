import type { BareJid } from '#shared/jid.ts'
import type { Config } from './config.ts'
import { AppError, describeError, isAppError } from './errors.ts'

/** Why the site account is not online, and what the operator can do. */
export function explainSiteProblem(error: unknown, config: Config, jid: BareJid): AppError {
  if (isAppError(error, 'not-authorized', 'forbidden')) {
    const mended = config.isLocal
      ? 'is there a second server on its port?'
      : 'correct CANTO_XMPP_JID and CANTO_XMPP_PASSWORD'
    return new AppError('not-authorized', `The XMPP server refused the password of ${jid}: ${mended}`, { cause: error })
  }
  const where = config.xmpp?.service ?? `the server of ${jid}`
  const mended = config.isLocal
    ? 'run npm start again'
    : `check that it runs${config.xmpp?.service === undefined ? ', or name its address in CANTO_XMPP_SERVICE' : ', and CANTO_XMPP_SERVICE'}`
  const reason = describeError(error).replace(/\.$/, '')
  return new AppError('unavailable', `Cannot get ${jid} online at ${where} (${reason}): ${mended}`, { cause: error })
}
