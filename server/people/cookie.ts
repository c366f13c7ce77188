import { createHash, hkdfSync, randomBytes } from 'node:crypto'

const COOKIE_BYTES = 32
const COOKIE_PATTERN = /^[A-Za-z0-9_-]{43}$/

/** A new browser's cookie: random, and the only place of the key that its password may be kept under. */
export function createCookie(): string {
  return randomBytes(COOKIE_BYTES).toString('base64url')
}

/** What the database knows of a cookie: enough to find it again, not enough to use it. */
export function hashCookie(cookie: string): string | undefined {
  if (!COOKIE_PATTERN.test(cookie)) return undefined
  return createHash('sha256').update(`canto browser ${cookie}`).digest('base64url')
}

/** The key that only this browser has. */
export function cookieKey(cookie: string): Buffer {
  return Buffer.from(hkdfSync('sha256', cookie, '', 'canto password', 32))
}
