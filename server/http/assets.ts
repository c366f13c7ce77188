import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Body } from './encoding.ts'
import { sendBody } from './encoding.ts'

/** Styles, scripts and fonts, in memory, under one folder whose name changes with any of them. */
export interface Assets {
  /** `/assets/HASH` */
  readonly path: string
  find(name: string): Body | undefined
}

const WEB = fileURLToPath(import.meta.resolve('#web/style.css').replace(/style\.css$/, ''))
const FONTS = fileURLToPath(new URL('files/', import.meta.resolve('@fontsource/literata')))
const FONT_FILE = /^literata-[a-z-]+-(?:400-normal|400-italic|600-normal)\.woff2$/

const TYPES: Readonly<Record<string, string>> = { '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' }

export async function loadAssets(): Promise<Assets> {
  const found = new Map<string, Body>([...(await loadStyles()), ...(await loadScripts()), ...(await loadFonts())])
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

async function loadStyles(): Promise<[string, Body][]> {
  const names = (await readdir(WEB)).filter((name) => extname(name) in TYPES)
  return Promise.all(
    names.map(async (name): Promise<[string, Body]> => {
      const bytes = await readFile(join(WEB, name))
      return [name, { type: TYPES[extname(name)] ?? '', bytes }]
    }),
  )
}

async function loadScripts(): Promise<[string, Body][]> {
  const folder = join(WEB, 'scripts')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  return Promise.all(
    names.map(async (name): Promise<[string, Body]> => {
      const source = await readFile(join(folder, name), 'utf8')
      return [
        `scripts/${name.replace(/ts$/, 'js')}`,
        { type: 'text/javascript; charset=utf-8', bytes: writeScript(source) },
      ]
    }),
  )
}

/** TypeScript as browsers take it. */
function writeScript(source: string): string {
  return withoutWarning(() => stripTypeScriptTypes(source)).replace(
    /((?:from|import)\s*\(?\s*'\.[^']*)\.ts'/g,
    "$1.js'",
  )
}

// Stripping types is stable where Node loads our files, and called experimental where it is a function.
function withoutWarning<T>(work: () => T): T {
  const emit = process.emitWarning
  process.emitWarning = () => {}
  try {
    return work()
  } finally {
    process.emitWarning = emit
  }
}

async function loadFonts(): Promise<[string, Body][]> {
  const names = (await readdir(FONTS)).filter((name) => FONT_FILE.test(name))
  return Promise.all(
    names.map(
      async (name): Promise<[string, Body]> => [
        `fonts/${name}`,
        { type: 'font/woff2', bytes: await readFile(join(FONTS, name)) },
      ],
    ),
  )
}
