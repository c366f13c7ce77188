import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'

export interface DebianSource {
  /** For a `sources.list`: the release, and its backports where it is Debian. */
  readonly lines: readonly string[]
  /** What to ask of `apt-get -t`. */
  readonly target: string
}

export interface SourceEntry {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
  readonly options: string
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
    lines: all.map(({ options, uri, suite, components }) => `deb ${options} ${uri} ${suite} ${components.join(' ')}`),
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

/** One line of the old format: `deb [signed-by=…] URI SUITE COMPONENT…`. */
function readLine(line: string): SourceEntry[] {
  const match = /^\s*deb\s+(\[[^\]]*\])?\s*(\S+)\s+(\S+)\s+([^#]+)/.exec(line)
  if (match === null) return []
  const [, options = '', uri = '', suite = '', components = ''] = match
  return [{ uri, suites: [suite], components: words(components), options }]
}

/** One paragraph of the deb822 format. A key within the file (a value of several lines) is left to apt's own keyrings. */
function readParagraph(paragraph: string): SourceEntry[] {
  const text = paragraph.replace(/^#.*\n/gm, '')
  const fields = new Map(text.split(/\n(?=\S)/).map((field) => [field.split(':', 1)[0]?.toLowerCase(), field]))
  const field = (name: string) =>
    fields
      .get(name)
      ?.slice(name.length + 1)
      .trim() ?? ''
  const [uri] = words(field('uris'))
  if (uri === undefined || !words(field('types')).includes('deb') || field('enabled') === 'no') return []
  const keyring = field('signed-by')
  const options = keyring.startsWith('/') && !/\s/.test(keyring) ? `[signed-by=${keyring}]` : ''
  return [{ uri, suites: words(field('suites')), components: words(field('components')), options }]
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
