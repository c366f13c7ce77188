import { randomBytes } from 'node:crypto'
import type { Secret } from '#server/people/secret.ts'
import type { BareJid } from '#shared/jid.ts'

/** The account and the session that a form belongs to. */
export interface FormOwner {
  readonly jid: BareJid
  readonly session: string
}

/**
 * Every form carries a signed token that names whose it is: another site cannot make one (CSRF), and text that arrives
 * after its session ended is still known to belong to that account, though nothing else can be done with it.
 */
export interface FormTokens {
  /** For a signed-in account. */
  issue(owner: FormOwner): string
  /** For somebody who is not signed in yet: `browser` is the value of a cookie of this browser alone. */
  issueToBrowser(browser: string): string
  /** Whose form it was, if we made the token. */
  readOwner(token: string): FormOwner | undefined
  isOfBrowser(token: string, browser: string): boolean
}

const TOKEN_AGE_MS = 30 * 86_400_000
const PURPOSE = 'form'

type Body = [kind: string, subject: string, at: number, random: string, session?: string]

interface Read {
  readonly subject: string
  readonly session: string
}

export function createFormTokens(secret: Secret, clock: () => Date): FormTokens {
  const write = (kind: 'account' | 'browser', subject: string, session = ''): string => {
    // The random part keeps the bytes of a page from repeating, so that compression tells nothing about the token.
    const body = JSON.stringify([kind, subject, clock().getTime(), randomBytes(9).toString('base64url'), session])
    const text = Buffer.from(body).toString('base64url')
    return `${text}.${secret.sign(PURPOSE, text)}`
  }
  const read = (kind: 'account' | 'browser', token: string): Read | undefined => {
    const [text = '', signature = ''] = token.split('.', 2)
    if (!secret.isSignature(PURPOSE, text, signature)) return undefined
    // Tokens of a former version name no session.
    const [itsKind, subject, at, , session = ''] = JSON.parse(Buffer.from(text, 'base64url').toString()) as Body
    return itsKind === kind && clock().getTime() - at < TOKEN_AGE_MS ? { subject, session } : undefined
  }
  return {
    issue: ({ jid, session }) => write('account', jid, session),
    issueToBrowser: (browser) => write('browser', browser),
    readOwner: (token) => {
      const owner = read('account', token)
      return owner && { jid: owner.subject as BareJid, session: owner.session }
    },
    isOfBrowser: (token, browser) => browser !== '' && read('browser', token)?.subject === browser,
  }
}
