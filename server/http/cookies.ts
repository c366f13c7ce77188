import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '#server/config.ts'

/**
 * The cookies we set: who is signed in, (before that) which browser a form was given to, and which accounts have signed in
 * with it.
 */
export interface Cookies {
  readSession(request: FastifyRequest): string | undefined
  writeSession(reply: FastifyReply, cookie: string): void
  clearSession(reply: FastifyReply): void
  /** The browser's own value, made now if it has none. */
  ensureBrowser(request: FastifyRequest, reply: FastifyReply): string
  readBrowser(request: FastifyRequest): string
  /** '' where nobody has signed in with this browser. */
  readKnown(request: FastifyRequest): string
  writeKnown(reply: FastifyReply, known: string): void
}

/** As long as browsers keep one; how long it means anything is in the database. */
const SESSION_SECONDS = 400 * 86_400

export function createCookies({ url, port }: Pick<Config, 'url' | 'port'>): Cookies {
  const isSecure = url.protocol === 'https:'
  // Browsers give the cookies of one port to every other on the same host, so plain names carry theirs.
  const nameOf = (kind: string) => (isSecure ? `__Host-${kind}` : `${kind}-${port}`)
  const [session, browser, known] = [nameOf('canto'), nameOf('canto-browser'), nameOf('canto-known')]
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure } as const
  return {
    // No plugin has read the cookies of a request whose address cannot be decoded.
    readSession: (request) => (request.cookies as typeof request.cookies | undefined)?.[session],
    writeSession: (reply, cookie) => void reply.setCookie(session, cookie, { ...options, maxAge: SESSION_SECONDS }),
    clearSession: (reply) => void reply.clearCookie(session, options),
    ensureBrowser(request, reply) {
      const known = request.cookies[browser]
      if (known !== undefined && known.length === 24) return known
      const value = randomBytes(18).toString('base64url')
      reply.setCookie(browser, value, options)
      return value
    },
    readBrowser: (request) => request.cookies[browser] ?? '',
    readKnown: (request) => request.cookies[known] ?? '',
    writeKnown: (reply, value) => void reply.setCookie(known, value, { ...options, maxAge: SESSION_SECONDS }),
  }
}
