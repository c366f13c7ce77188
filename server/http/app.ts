import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { AppError } from '#server/errors.ts'
import { admitBodies, BODY_BYTES } from './admit-body.ts'
import { addAssets, loadAssets } from './assets.ts'
import type { AppContext } from './context.ts'
import { createCookies } from './cookies.ts'
import { addErrorPages, sendError } from './error-pages.ts'
import { createFormTokens } from './form-tokens.ts'
import { createLiveStreams } from './live-stream.ts'
import { isOwnUpload } from './picture/own-uploads.ts'
import { createPictures } from './picture/pictures.ts'
import { isPublicAddress } from './picture/public-address.ts'
import { requirePlainInput } from './plain-input.ts'
import { ROUTES } from './routes/index.ts'
import { addSecurity, securityHeaders } from './security.ts'
import type { Web } from './web.ts'

/** Item ids have up to 1,023 characters of up to four bytes, in base64url or percent-encoded. */
const PARAM_LENGTH = 12_300
/** For the whole of a request to arrive. */
const REQUEST_MS = 60_000
/** For a connection on which nothing moves: an answer that nobody reads stays in memory. */
const IDLE_MS = 180_000
const PICTURE_BYTES = 10 * 1024 * 1024
const PICTURE_MS = 10_000

/** The web side, not yet listening. */
export async function createApp(ctx: AppContext): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_BYTES,
    trustProxy: ctx.config.proxies.length === 0 ? false : [...ctx.config.proxies],
    routerOptions: { maxParamLength: PARAM_LENGTH, ignoreTrailingSlash: false },
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS,
    connectionTimeout: IDLE_MS,
    // An address that cannot even be decoded reaches no hook.
    frameworkErrors: (_error, request, reply) => {
      reply.headers(securityHeaders(ctx.config))
      sendError(web, request, reply, new AppError('bad-request', 'This address cannot be understood.')).catch(() => {
        reply.raw.destroy()
      })
    },
  })
  const assets = await loadAssets()
  const streams = createLiveStreams(ctx.live, ctx)
  const web: Web = {
    ctx,
    assets,
    streams,
    cookies: createCookies(ctx.config),
    tokens: createFormTokens(ctx.secret, ctx.clock),
    pictures: createPictures(ctx.secret, {
      isAllowed: ctx.isPublicAddress ?? isPublicAddress,
      isOwnUpload: (address) => isOwnUpload(ctx.config, address),
      clock: ctx.clock,
      maxBytes: PICTURE_BYTES,
      timeoutMs: PICTURE_MS,
    }),
  }
  await app.register(cookie)
  await app.register(formbody)
  await app.register(multipart)
  addSecurity(app, ctx.config)
  admitBodies(app, web)
  requirePlainInput(app)
  addErrorPages(app, web)
  addAssets(app, assets)
  for (const addRoute of ROUTES) addRoute(app, web)
  app.addHook('onResponse', async (request, reply) => {
    const labels = {
      route: request.routeOptions.url ?? 'none',
      method: request.method,
      status: String(reply.statusCode),
    }
    ctx.meters.timeRequest(labels, reply.elapsedTime / 1000)
  })
  app.addHook('preClose', async () => streams.stop())
  return app
}
