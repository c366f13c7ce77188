import { randomBytes } from 'node:crypto'
import type { Secret } from '#server/people/secret.ts'
import type { BareJid } from '#shared/jid.ts'

/**
 * Every form carries a signed token that names whose it is: another site cannot make one (CSRF), and text that arrives
 * after its session ended is still known to belong to that account.
 */
export interface FormTokens {
  /** For a signed-in account. */
  issue(jid: BareJid): string
  /** For somebody who is not signed in yet: `browser` is the value of a cookie of this browser alone. */
  issueToBrowser(browser: string): string
  /** Whose form it was, if we made the token. */
  readOwner(token: string): BareJid | undefined
  isOfBrowser(token: string, browser: string): boolean
}

const TOKEN_AGE_MS = 30 * 86_400_000
const PURPOSE = 'form'

export function createFormTokens(secret: Secret, clock: () => Date): FormTokens {
  const write = (kind: 'account' | 'browser', subject: string): string => {
    // The random part keeps the bytes of a page from repeating, so that compression tells nothing about the token.
    const body = JSON.stringify([kind, subject, clock().getTime(), randomBytes(9).toString('base64url')])
    const text = Buffer.from(body).toString('base64url')
    return `${text}.${secret.sign(PURPOSE, text)}`
  }
  const read = (kind: 'account' | 'browser', token: string): string | undefined => {
    const [text = '', signature = ''] = token.split('.', 2)
    if (!secret.isSignature(PURPOSE, text, signature)) return undefined
    const [itsKind, subject, at] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, number]
    return itsKind === kind && clock().getTime() - at < TOKEN_AGE_MS ? subject : undefined
  }
  return {
    issue: (jid) => write('account', jid),
    issueToBrowser: (browser) => write('browser', browser),
    readOwner: (token) => read('account', token) as BareJid | undefined,
    isOfBrowser: (token, browser) => browser !== '' && read('browser', token) === browser,
  }
}
