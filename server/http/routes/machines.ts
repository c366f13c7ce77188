import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { sendBody } from '../encoding.ts'
import { writeSiteOpml } from '../opml.ts'
import { createReaderNetworks } from '../reader-networks.ts'
import { createSitemap } from '../sitemap.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const HEALTH = '/healthz'
const METRICS = '/metrics'
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])
const WATCHED = new Set([HEALTH, METRICS])

/** What only programs read. */
export function addMachines(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const sitemap = createSitemap(ctx)
  const readers = createReaderNetworks(ctx.clock)

  // Monitoring requests are no readers.
  app.addHook('onRequest', async ({ ip, headers, routeOptions: { url = '' } }) => {
    const isForwarded = ctx.config.proxies.length === 0 && headers['x-forwarded-for'] !== undefined
    if (!WATCHED.has(url)) readers.note(ip, isForwarded)
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
    if (!mayMeasure(ctx.config, request) && person?.isOperator !== true) {
      throw new AppError('forbidden', 'Metrics are for the site’s operators, and for programs that have its token.')
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
    return sendBody(request, reply, { type: 'application/xml; charset=utf-8', bytes: await sitemap.readIndex() })
  })

  app.get<{ Params: { number: string } }>('/sitemap-:number(^\\d{1,9}).xml', async (request, reply) => {
    const bytes = await sitemap.readPart(Number(request.params.number))
    if (bytes === undefined) throw new AppError('not-found', 'The sitemap has no such part.')
    return sendBody(request, reply, { type: 'application/xml; charset=utf-8', bytes })
  })
}

/** They name whom people follow here. */
function mayMeasure({ proxies, metricsToken }: Config, request: FastifyRequest): boolean {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (metricsToken !== undefined && given !== undefined && isSame(given, metricsToken)) return true
  // Behind a proxy that forgets to say so, everybody comes from this machine.
  return proxies.length === 0 && isOfThisMachine(request)
}

function isOfThisMachine({ ip, headers, hostname }: FastifyRequest): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  // A page in a browser here that has its own name lead to this machine cannot choose another (DNS rebinding).
  return !isForwarded && LOOPBACK.has(ip) && LOOPBACK_HOSTS.has(hostname)
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [given, wanted].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(one, other)
}
