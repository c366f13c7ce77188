import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply } from 'fastify'
import Fastify from 'fastify'
import { addAssets, loadAssets } from '#server/http/assets.ts'
import { addSecurity } from '#server/http/security.ts'
import { render } from '#web/render.ts'
import type { Sample } from './sample-views.ts'
import { createSamples } from './sample-views.ts'

/** Sample pages under the real headers, styles and scripts; forms are answered by what a test says. */
export interface SampleSite extends AsyncDisposable {
  readonly url: string
  readonly samples: Map<string, Sample>
  /** What forms and scripts have sent. */
  readonly sent: { path: string; fields: Readonly<Record<string, string>> }[]
  /** Answers a script's save. */
  onSave(fields: Readonly<Record<string, string>>): object | Promise<object>
  /** Sends an event to every open page. */
  announce(version: string, event?: 'state' | 'unread'): void
  readonly listeners: number
}

export async function startSampleSite(): Promise<SampleSite> {
  const app = Fastify({ forceCloseConnections: true })
  const assets = await loadAssets()
  const streams = new Set<FastifyReply>()
  const site = {
    url: '',
    samples: new Map(createSamples(assets.path)),
    sent: [] as { path: string; fields: Readonly<Record<string, string>> }[],
    onSave: (): object | Promise<object> => ({ saved: '2026-03-14T21:42:00Z', isSignedIn: true }),
    announce(version: string, event = 'state') {
      for (const { raw } of streams) raw.write(`event: ${event}\ndata: ${JSON.stringify({ version })}\n\n`)
    },
    get listeners() {
      return streams.size
    },
    async [Symbol.asyncDispose]() {
      for (const { raw } of streams) raw.end()
      await app.close()
    },
  }
  await app.register(formbody)
  addSecurity(app, { url: new URL('http://localhost') })
  addAssets(app, assets)
  addStream(app, streams)
  addPages(app, site)
  site.url = await app.listen({ host: '127.0.0.1', port: 0 })
  return site
}

function addStream(app: FastifyInstance, streams: Set<FastifyReply>): void {
  app.get('/live', (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    streams.add(reply)
    request.raw.once('close', () => streams.delete(reply))
  })
}

function addPages(app: FastifyInstance, site: SampleSite): void {
  app.post<{ Body: Record<string, string> }>('/*', async (request, reply) => {
    site.sent.push({ path: request.url, fields: request.body })
    if (request.url.startsWith('/drafts/')) return site.onSave(request.body)
    return reply.type('text/html').send('<!doctype html><title>Sent</title>')
  })
  app.get<{ Params: { '*': string } }>('/*', async (request, reply) => {
    const found = site.samples.get(request.params['*'])
    if (found === undefined) return reply.code(404).send()
    return reply.type('text/html; charset=utf-8').send(render(found.template, found.view))
  })
}
