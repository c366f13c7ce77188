import { existsSync, globSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, describeError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { fetchPackages } from './apt.ts'
import { waitForLock } from './lock.ts'

/** The first version with SASL2, Bind 2 and FAST. */
const OLDEST = '24.12'

/** An Erlang with ejabberd and its SQLite driver, ready to be run by any user. */
export interface ErlangRoot {
  /** ejabberd's version, such as `24.12`. */
  readonly version: string
  /** What to run instead of `erl`. */
  readonly command: string
  readonly env: Readonly<Record<string, string>>
}

interface Libraries {
  readonly version: string
  /** Holds `ejabberd-VERSION`. */
  readonly folder: string
}

/** The machine's own ejabberd if it is new enough, else one unpacked from Debian's packages under `cache`, once. */
export async function findEjabberd(cache: string, log: Logger): Promise<ErlangRoot> {
  const found = findInstalled() ?? findUnpacked(cache)
  if (found !== undefined) return found
  await mkdir(cache, { recursive: true })
  using _lock = await waitForLock(join(cache, 'lock.sqlite'), () =>
    log.info('Waiting for another Canto to fetch ejabberd'),
  )
  const fetchedMeanwhile = findUnpacked(cache)
  if (fetchedMeanwhile !== undefined) return fetchedMeanwhile
  try {
    return await unpackEjabberd(cache, log)
  } catch (cause) {
    throw new AppError('unavailable', describeWaysOut(describeError(cause)), { cause })
  }
}

async function unpackEjabberd(cache: string, log: Logger): Promise<ErlangRoot> {
  log.info('Fetching ejabberd from Debian’s packages, about 35 MB (this is done once)')
  const fresh = join(cache, 'fetching')
  await rm(fresh, { recursive: true, force: true })
  await fetchPackages({ names: ['ejabberd', 'erlang-p1-sqlite3'], newerThan: OLDEST, folder: fresh })
  await rm(join(cache, 'ejabberd'), { recursive: true, force: true })
  await rename(join(fresh, 'root'), join(cache, 'ejabberd'))
  await rm(fresh, { recursive: true, force: true })
  const unpacked = findUnpacked(cache)
  if (unpacked === undefined) throw new Error('The fetched packages hold no usable ejabberd')
  return unpacked
}

/** Debian's `erl` has its folder built in, so what it would set is set here (and `erlexec` run in its place). */
function findUnpacked(cache: string): ErlangRoot | undefined {
  const root = join(cache, 'ejabberd/usr/lib')
  const [bin] = globSync(`${root}/erlang/erts-*/bin`)
  const libraries = newestLibraries([`${root}/*`], [`${root}/erlang/lib`])
  if (libraries === undefined || bin === undefined) return undefined
  return {
    version: libraries.version,
    command: join(bin, 'erlexec'),
    env: {
      ROOTDIR: join(root, 'erlang'),
      BINDIR: bin,
      EMU: 'beam',
      PROGNAME: 'erl',
      ERL_LIBS: libraries.folder,
      LD_LIBRARY_PATH: libraries.folder,
    },
  }
}

function findInstalled(): ErlangRoot | undefined {
  const prefixes = ['/usr', '/usr/local', '/opt/homebrew', '/opt/homebrew/opt/ejabberd', '/usr/local/opt/ejabberd']
  const folders = prefixes.flatMap((prefix) => [`${prefix}/lib`, `${prefix}/lib/*`, `${prefix}/lib64`])
  const erlang = prefixes.flatMap((prefix) => [`${prefix}/lib/erlang/lib`, `${prefix}/lib64/erlang/lib`])
  const libraries = newestLibraries([...folders, ...erlang], erlang)
  const erl = ['/usr', '/usr/local', '/opt/homebrew']
    .map((prefix) => `${prefix}/bin/erl`)
    .find((path) => existsSync(path))
  if (libraries === undefined || erl === undefined) return undefined
  return { version: libraries.version, command: erl, env: { ERL_LIBS: libraries.folder } }
}

/** The folder with the newest ejabberd that finds the SQLite driver, beside itself or among Erlang's own libraries. */
function newestLibraries(patterns: readonly string[], erlang: readonly string[]): Libraries | undefined {
  const hasDriver = (folders: readonly string[]) =>
    folders.some((folder) => globSync(`${folder}/{p1_,}sqlite3-*/ebin/sqlite3.app`).length > 0)
  return patterns
    .flatMap((pattern) => globSync(`${pattern}/ejabberd-*/ebin/ejabberd.app`))
    .map((app) => ({ version: readVersion(app), folder: join(app, '../../..') }))
    .filter(({ version, folder }) => isNewEnough(version) && hasDriver([folder, ...erlang]))
    .sort((a, b) => compareVersions(a.version, b.version))
    .at(-1)
}

function readVersion(app: string): string {
  return /\/ejabberd-([\d.]+)[^/]*\/ebin\//.exec(app)?.[1] ?? '0'
}

function isNewEnough(version: string): boolean {
  return compareVersions(version, OLDEST) >= 0
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function describeWaysOut(reason: string): string {
  return [
    `Canto's own XMPP server needs ejabberd ${OLDEST} or newer with SQLite, and could not fetch it: ${reason}`,
    'Install it with one of these, then run npm start again:',
    '  Debian 12  sudo apt install -t bookworm-backports ejabberd erlang-p1-sqlite3   (backports.debian.org tells how)',
    '  Debian 13, Ubuntu 25.04 or newer  sudo apt install ejabberd erlang-p1-sqlite3',
    '  Fedora     sudo dnf install ejabberd',
    '  macOS      brew install ejabberd',
    '  Alpine     sudo apk add ejabberd',
    'If it is not found then, that package has no SQLite driver (sqlite3 among its libraries).',
    `Or use an account on any XMPP server: set CANTO_XMPP_JID and CANTO_XMPP_PASSWORD (.env.example).`,
  ].join('\n')
}
