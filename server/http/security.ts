import type { FastifyInstance } from 'fastify'
import type { Config } from '#server/config.ts'
import { AppError } from '#server/errors.ts'

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const YEAR_SECONDS = 31_536_000

/** Of every answer. */
export function securityHeaders({ url }: Pick<Config, 'url'>): Record<string, string> {
  return {
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    ...(url.protocol === 'https:' ? { 'strict-transport-security': `max-age=${YEAR_SECONDS}` } : {}),
  }
}

/** The headers of every answer, and the first line against forms of other sites. */
export function addSecurity(app: FastifyInstance, config: Pick<Config, 'url'>): void {
  const headers = securityHeaders(config)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD'
    if (isWrite && request.headers['sec-fetch-site'] === 'cross-site') {
      throw new AppError('forbidden', 'This form was sent by another site.')
    }
  })
}
