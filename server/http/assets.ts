import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { readAssetFiles } from './asset-files.ts'
import type { Body } from './encoding.ts'
import { sendBody } from './encoding.ts'

/** Styles, scripts and fonts, in memory, under one folder whose name changes with any of them. */
export interface Assets {
  /** `/assets/HASH` */
  readonly path: string
  find(name: string): Body | undefined
}

export async function loadAssets(): Promise<Assets> {
  const found = await readAssetFiles()
  const hash = createHash('sha256')
  for (const [name, { bytes }] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(name).update(bytes)
  return { path: `/assets/${hash.digest('base64url').slice(0, 12)}`, find: (name) => found.get(name) }
}

export function addAssets(app: FastifyInstance, assets: Assets): void {
  app.get<{ Params: { hash: string; '*': string } }>('/assets/:hash/*', async (request, reply) => {
    const body = assets.find(request.params['*'])
    if (body === undefined) throw new AppError('not-found', 'There is no such file.')
    // A page of an earlier version may ask for its own files: it gets today's, and keeps them for no time.
    const isCurrent = `/assets/${request.params.hash}` === assets.path
    reply.header('cache-control', isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache')
    return sendBody(request, reply, body)
  })
  app.get('/favicon.ico', async (_request, reply) => reply.redirect(`${assets.path}/icon.svg`, 302))
}
