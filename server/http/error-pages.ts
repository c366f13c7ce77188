import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, describeError, isAppError } from '#server/errors.ts'
import { hideSecret } from './home-feed.ts'
import { sendPage } from './pages/page.ts'
import type { Visit } from './visit.ts'
import { readVisit } from './visit.ts'
import type { Web } from './web.ts'

const NOT_FOUND = 'There is no such page.'

/** Every failure, as a page for people and as a line or JSON for programs, each with its true status. */
export function addErrorPages(app: FastifyInstance, web: Web): void {
  app.setNotFoundHandler(async (request, reply) => {
    return sendError(web, request, reply, new AppError('not-found', NOT_FOUND))
  })
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const known = describe(error)
    if (known.code === 'internal' || known.code === 'no-room')
      web.ctx.log.error({ url: hideSecret(request.url), stack: error.stack }, 'A request failed')
    return sendError(web, request, reply, known)
  })
}

/** Some programs encode the @ of a blog's address; some people end every address with a slash. */
function findSpelling(url: string): string | undefined {
  // Never a path that a browser would take for another host.
  if (!/^\/[^/\\]/.test(url)) return undefined
  if (/^\/%40/i.test(url)) return `/@${url.slice(4)}`
  const end = /^([^?]*[^/?])\/+(\?.*)?$/.exec(url)
  return end === null ? undefined : `${end[1]}${end[2] ?? ''}`
}

function describe(error: FastifyError): AppError {
  if (isAppError(error)) return error
  if (error.statusCode === 413)
    return new AppError('too-large', 'That is too much to send at once. Go back and shorten it.')
  if (error.statusCode === 404) return new AppError('not-found', NOT_FOUND)
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return new AppError('bad-request', 'The request cannot be understood.', { cause: error })
  }
  return new AppError('internal', 'Something went wrong here. It was written down; try again in a moment.', {
    cause: error,
  })
}

/** The answer to a request that failed. */
export async function sendError(
  web: Web,
  request: FastifyRequest,
  reply: FastifyReply,
  error: AppError,
): Promise<FastifyReply> {
  const better = error.code === 'not-found' ? findSpelling(request.url) : undefined
  if (better !== undefined) return reply.redirect(better, 301)
  reply.header('cache-control', 'no-store')
  if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
  const accept = String(request.headers.accept ?? '')
  if (accept.includes('application/json')) {
    return reply.code(error.statusCode).send({ error: error.code, message: error.message })
  }
  if (!accept.includes('text/html'))
    return reply.code(error.statusCode).type('text/plain; charset=utf-8').send(`${error.message}\n`)
  const visit = await readVisit(web, request).catch((failure: unknown): Visit => {
    web.ctx.log.error(`Who is signed in cannot be read: ${describeError(failure)}`)
    return {}
  })
  const view = { status: error.statusCode, text: error.message, link: { href: '/', text: 'To the first page' } }
  const head = { title: String(error.statusCode), noindex: true }
  return sendPage(web, { request, reply, visit }, { name: 'error', status: error.statusCode, head, view })
}
