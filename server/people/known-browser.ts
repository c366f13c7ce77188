import { randomBytes } from 'node:crypto'
import type { BareJid } from '#shared/jid.ts'
import type { Secret } from './secret.ts'

const PURPOSE = 'known browser'
const ID = /^[\w-]{16}$/
/** The most people who share a browser. */
const MOST = 5

/**
 * The id of a browser in which an account has signed in before; undefined where the cookie does not say so. The cookie
 * is an id and, for each account, our signature of both: it names nobody, and lasts when the session is over.
 */
export function readKnownBrowser(
  secret: Pick<Secret, 'isSignature'>,
  cookie: string,
  jid: BareJid,
): string | undefined {
  const [id = '', ...signatures] = cookie.split('.', 1 + MOST)
  const isOf = (signature: string) => secret.isSignature(PURPOSE, `${id} ${jid}`, signature)
  return ID.test(id) && signatures.some(isOf) ? id : undefined
}

/** The cookie of a browser from now on, in which the account has just signed in. */
export function addKnownBrowser(secret: Pick<Secret, 'sign'>, cookie: string, jid: BareJid): string {
  const [known = '', ...signatures] = cookie.split('.', 1 + MOST)
  const id = ID.test(known) ? known : randomBytes(12).toString('base64url')
  const own = secret.sign(PURPOSE, `${id} ${jid}`)
  return [id, own, ...signatures.filter((signature) => signature !== own)].slice(0, 1 + MOST).join('.')
}
