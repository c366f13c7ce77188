import { existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BackupNote, DATABASES, FILES, UPLOADS } from './backup.ts'
import type { Call } from './canto.ts'
import { openDataFolder } from './data-folder.ts'
import { AppError } from './errors.ts'
import { layOut } from './local/layout.ts'
import { run } from './local/run.ts'

const NOTE = 'backup.json'
const KNOWN_FILES: ReadonlySet<string> = new Set([NOTE, ...DATABASES, ...FILES])

/** `restore FILE`. */
export async function restoreCommand({ config, args: [file = ''], say }: Call): Promise<void> {
  const note = await restore(file, config.data)
  say(`${config.data} is now as it was at ${note.createdAt}: npm start serves it`)
  if (note.hasLocalServer && !config.isLocal) {
    say('The backup has a local XMPP server, which is not used while CANTO_XMPP_JID is set')
  }
}

/** Fills a data folder that has no site yet. */
export async function restore(file: string, data: string): Promise<BackupNote> {
  if (!existsSync(file)) throw new AppError('not-found', `There is no file ${file}`)
  using _lock = await openDataFolder(data)
  if (existsSync(join(data, 'state.sqlite')) || existsSync(layOut(data).database)) {
    throw new AppError(
      'conflict',
      `There is a site in ${data} already: set CANTO_DATA to another folder to restore into`,
    )
  }
  const staging = await mkdtemp(join(data, 'restoring-'))
  try {
    const note = await unpack(file, staging)
    await moveInto(staging, data)
    return note
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function unpack(file: string, staging: string): Promise<BackupNote> {
  const unpacked = await run('tar', ['-xzf', file, '-C', staging, '--no-same-owner', '--no-same-permissions'])
  const text = await readRegular(join(staging, NOTE)).catch(() => undefined)
  if (unpacked.code !== 0 || text === undefined) {
    throw new AppError('bad-request', `${file} is not a backup of Canto, or it is damaged`)
  }
  const note: BackupNote = JSON.parse(text)
  if (note.format !== 1)
    throw new AppError('bad-request', `${file} was made by a newer Canto: restore it with that one`)
  const odd = await findOdd(staging)
  if (odd !== undefined) {
    const words = `${file} is not as Canto makes a backup: ${odd} in it is a link, or not the kind of file that it should be`
    throw new AppError('bad-request', words)
  }
  return note
}

/**
 * Finds what is neither a plain file nor a folder, or is one in the place of the other: by a link, the maker of a
 * backup could write elsewhere or read files there.
 */
async function findOdd(staging: string): Promise<string | undefined> {
  for (const name of await readdir(staging, { recursive: true })) {
    const found = await lstat(join(staging, name))
    const isPlain = found.isFile() && found.nlink === 1
    const isFine = KNOWN_FILES.has(name) ? isPlain : found.isDirectory() || (isPlain && name !== UPLOADS)
    if (!isFine) return name
  }
  return undefined
}

async function readRegular(path: string): Promise<string | undefined> {
  return (await lstat(path)).isFile() ? readFile(path, 'utf8') : undefined
}

/**
 * Only what a backup has by its name: anything else that is in the file (programs under `cache`) is left out. The state
 * last: without it the folder counts as empty, and a restore that was interrupted can be run again.
 */
async function moveInto(staging: string, data: string): Promise<void> {
  await mkdir(layOut(data).folder, { recursive: true, mode: 0o700 })
  const [state, ...databases] = DATABASES
  for (const name of [...FILES, UPLOADS, ...databases, state]) {
    if (!existsSync(join(staging, name))) continue
    await rm(join(data, name), { recursive: true, force: true })
    await rename(join(staging, name), join(data, name))
  }
}
