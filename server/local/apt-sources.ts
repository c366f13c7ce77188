import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'

export interface DebianSource {
  /** For a file whose name ends in `.sources` (deb822): the release, and its backports where it is Debian. */
  readonly text: string
  /** What to ask of `apt-get -t`. */
  readonly target: string
}

export interface SourceEntry {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** Fields of deb822 by their names in lower case: only those of `KEPT`. */
  readonly options: ReadonlyMap<string, string>
}

/** Options by their names in the old format and in deb822. Any that weakens the check of signatures (`trusted`) is left out. */
const KEPT: Readonly<Record<string, string>> = {
  'signed-by': 'signed-by',
  arch: 'architectures',
  'check-valid-until': 'check-valid-until',
}

/** The release that this machine runs, from the mirrors and with the keyrings that its own sources name. */
export async function findDebianSource(): Promise<DebianSource> {
  const release = parseEnv(await readFile('/etc/os-release', 'utf8'))
  const codename = release.VERSION_CODENAME
  if (codename === undefined) throw new Error('this machine’s /etc/os-release names no release')
  // The release itself, its updates and its security updates, each from where this machine has them.
  const named = (await readEntries()).flatMap((entry) => entry.suites.map((suite) => ({ ...entry, suite })))
  const own = named.filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`))
  const main = own.find(({ suite, components }) => suite === codename && components.includes('main'))
  if (main === undefined) throw new Error(`this machine's apt sources name no mirror of ${codename}`)
  const backports = `${codename}-backports`
  const isDebian = release.ID === 'debian'
  const all = isDebian && own.every(({ suite }) => suite !== backports) ? [...own, { ...main, suite: backports }] : own
  return {
    text: all.map((entry) => writeSource({ ...entry, suites: [entry.suite] })).join('\n'),
    target: isDebian ? backports : codename,
  }
}

async function readEntries(): Promise<SourceEntry[]> {
  const files = ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*.{list,sources}')]
  const read = files.map(async (file) => readSources(file, await readFile(file, 'utf8').catch(() => '')))
  return (await Promise.all(read)).flat()
}

/** The binary sources of one file, in either of apt's formats. */
export function readSources(file: string, text: string): SourceEntry[] {
  return file.endsWith('.sources') ? text.split(/\n\s*\n/).flatMap(readParagraph) : text.split('\n').flatMap(readLine)
}

/** One paragraph of deb822. */
export function writeSource({ uri, suites, components, options }: SourceEntry): string {
  const fields = [
    ['types', 'deb'],
    ['uris', uri],
    ['suites', suites.join(' ')],
    ['components', components.join(' ')],
    ...options,
  ]
  return fields.map(([name, value]) => `${name}: ${value}\n`).join('')
}

/** One line of the old format: `deb [signed-by=…] URI SUITE COMPONENT…`. */
function readLine(line: string): SourceEntry[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\])?\s*(\S+)\s+(\S+)\s+([^#]+)/.exec(line)
  if (match === null) return []
  const [, options = '', uri = '', suite = '', components = ''] = match
  const kept = words(options).flatMap((option): [string, string][] => {
    const [name = '', value = ''] = option.split('=', 2)
    const field = KEPT[name.toLowerCase()]
    return field === undefined ? [] : [[field, value.replaceAll(',', ' ')]]
  })
  return [{ uri, suites: [suite], components: words(components), options: new Map(kept) }]
}

/** One paragraph of the deb822 format. */
function readParagraph(paragraph: string): SourceEntry[] {
  const text = paragraph.replace(/^#.*\n/gm, '')
  const fields = new Map(text.split(/\n(?=\S)/).map((field) => [field.split(':', 1)[0]?.toLowerCase(), field]))
  const field = (name: string) =>
    fields
      .get(name)
      ?.slice(name.length + 1)
      .trimEnd() ?? ''
  const [uri] = words(field('uris'))
  if (uri === undefined || !words(field('types')).includes('deb') || field('enabled').trim() === 'no') return []
  const kept = Object.values(KEPT).flatMap((name): [string, string][] =>
    // The lines of a key within the file keep the space that they begin with.
    field(name).trim() === '' ? [] : [[name, field(name).replace(/^[ \t]+/, '')]],
  )
  return [{ uri, suites: words(field('suites')), components: words(field('components')), options: new Map(kept) }]
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
