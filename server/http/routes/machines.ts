import type { FastifyInstance } from 'fastify'
import { sendBody } from '../encoding.ts'
import { writeOpml } from '../opml.ts'
import { listSiteAuthors } from '../places.ts'
import { createSitemap } from '../sitemap.ts'
import type { Web } from '../web.ts'

/** What only programs read. */
export function addMachines(app: FastifyInstance, { ctx }: Web): void {
  const readSitemap = createSitemap(ctx)

  app.get('/healthz', async (_request, reply) => {
    // A site that cannot read its databases is not well.
    await listSiteAuthors(ctx)
    const isOnline = ctx.isOnline?.() ?? true
    // Pages are served from the index whether or not the network is there.
    return reply.header('cache-control', 'no-store').send({ status: 'ok', xmpp: isOnline ? 'online' : 'offline' })
  })

  app.get('/robots.txt', async (request, reply) => {
    const closed = ['/signin', '/write', '/drafts', '/settings', '/picture/'].map((path) => `Disallow: ${path}`)
    const lines = ['User-agent: *', ...closed, '', `Sitemap: ${new URL('/sitemap.xml', ctx.config.url)}`, '']
    return sendBody(request, reply, { type: 'text/plain; charset=utf-8', bytes: lines.join('\n') })
  })

  app.get('/opml.xml', async (request, reply) => {
    return sendBody(request, reply, { type: 'text/x-opml; charset=utf-8', bytes: await writeOpml(ctx) })
  })

  app.get('/sitemap.xml', async (request, reply) => {
    return sendBody(request, reply, { type: 'application/xml; charset=utf-8', bytes: await readSitemap() })
  })
}
