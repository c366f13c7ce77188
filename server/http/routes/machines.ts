import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import { sendBody } from '../encoding.ts'
import { writeSiteOpml } from '../opml.ts'
import { createReaderNetworks } from '../reader-networks.ts'
import { createSitemap } from '../sitemap.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const HEALTH = '/healthz'
const METRICS = '/metrics'
const WATCHED = new Set([HEALTH, METRICS])

/** What only programs read. */
export function addMachines(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const readSitemap = createSitemap(ctx)
  const readers = createReaderNetworks(ctx.clock)

  // Whoever watches the site is no reader.
  app.addHook('onRequest', async ({ ip, routeOptions: { url = '' } }) => {
    if (!WATCHED.has(url)) readers.note(ip)
  })

  app.get(HEALTH, async (_request, reply) => {
    const { isReady, xmpp, problems } = await ctx.readHealth()
    // Pages are served from the index whether or not the network is there.
    reply.code(isReady ? 200 : 503).header('cache-control', 'no-store')
    const health = { status: isReady ? 'ok' : 'not-ready', xmpp, problems }
    return reply.send(readers.isOne() ? { ...health, readers: 'one-network' } : health)
  })

  app.get(METRICS, async (request, reply) => {
    const { person } = await readVisit(web, request)
    if (!isOfThisMachine(request) && person?.isOperator !== true) {
      throw new AppError('forbidden', 'Metrics are for programs on this machine and for the site’s operators.')
    }
    if (ctx.metrics === undefined) throw new AppError('not-found', 'Nothing is measured here.')
    reply.header('cache-control', 'no-store').type(ctx.metrics.contentType)
    return reply.send(await ctx.metrics.write())
  })

  app.get('/robots.txt', async (request, reply) => {
    const closed = [
      '/signin',
      '/write',
      '/drafts',
      '/home',
      '/following',
      '/communities/',
      '/settings',
      '/picture/',
    ].map((path) => `Disallow: ${path}`)
    const lines = ['User-agent: *', ...closed, '', `Sitemap: ${new URL('/sitemap.xml', ctx.config.url)}`, '']
    return sendBody(request, reply, { type: 'text/plain; charset=utf-8', bytes: lines.join('\n') })
  })

  app.get('/opml.xml', async (request, reply) => {
    return sendBody(request, reply, { type: 'text/x-opml; charset=utf-8', bytes: await writeSiteOpml(ctx) })
  })

  app.get('/sitemap.xml', async (request, reply) => {
    return sendBody(request, reply, { type: 'application/xml; charset=utf-8', bytes: await readSitemap() })
  })
}

// They name whom people follow here. A proxy that was not declared would make everybody look local.
function isOfThisMachine({ ip, headers }: FastifyRequest): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  return !isForwarded && (ip === '127.0.0.1' || ip === '::1' || ip === '::ffff:127.0.0.1')
}
