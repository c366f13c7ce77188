import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Body } from './encoding.ts'

type File = [name: string, body: Body]

const WEB = fileURLToPath(import.meta.resolve('#web/style.css').replace(/style\.css$/, ''))
const LITERATA = fileURLToPath(new URL('.', import.meta.resolve('@fontsource/literata')))
const FACES = ['400', '400-italic', '600']
const FONT_FILE = /^literata-[a-z-]+-(?:400-normal|400-italic|600-normal)\.woff2$/

/** Every file that pages use, by its name under the folder of assets. */
export async function readAssetFiles(): Promise<ReadonlyMap<string, Body>> {
  const files = await Promise.all([readStyles(), readIcons(), readScripts(), readFonts()])
  return new Map(files.flat())
}

async function readStyles(): Promise<File[]> {
  const faces = (await Promise.all(FACES.map((face) => readFile(join(LITERATA, `${face}.css`), 'utf8')))).map(
    writeFaces,
  )
  const names = (await readdir(WEB)).filter((name) => extname(name) === '.css')
  return Promise.all(
    names.map(async (name): Promise<File> => {
      const bytes = `${await readFile(join(WEB, name), 'utf8')}\n${faces.join('\n')}`
      return [name, { type: 'text/css; charset=utf-8', bytes }]
    }),
  )
}

/** The package's own faces: shown at once or not at all (`swap` moves the page), and only as woff2. */
function writeFaces(css: string): string {
  return css
    .replaceAll('font-display: swap', 'font-display: optional')
    .replace(/url\(\.\/files\/([^)]*\.woff2)\) format\('woff2'\)[^;]*;/g, "url(fonts/$1) format('woff2');")
}

async function readIcons(): Promise<File[]> {
  const names = (await readdir(WEB)).filter((name) => extname(name) === '.svg')
  return Promise.all(
    names.map(async (name): Promise<File> => [name, { type: 'image/svg+xml', bytes: await readFile(join(WEB, name)) }]),
  )
}

async function readScripts(): Promise<File[]> {
  const folder = join(WEB, 'scripts')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  return Promise.all(
    names.map(async (name): Promise<File> => {
      const bytes = writeScript(await readFile(join(folder, name), 'utf8'))
      return [`scripts/${name.replace(/ts$/, 'js')}`, { type: 'text/javascript; charset=utf-8', bytes }]
    }),
  )
}

/** TypeScript as browsers take it. */
function writeScript(source: string): string {
  const script = withoutWarning(() => stripTypeScriptTypes(source))
  return script.replace(/((?:from|import)\s*\(?\s*'\.[^']*)\.ts'/g, "$1.js'")
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

async function readFonts(): Promise<File[]> {
  const folder = join(LITERATA, 'files')
  const names = (await readdir(folder)).filter((name) => FONT_FILE.test(name))
  return Promise.all(
    names.map(async (name): Promise<File> => {
      return [`fonts/${name}`, { type: 'font/woff2', bytes: await readFile(join(folder, name)) }]
    }),
  )
}
