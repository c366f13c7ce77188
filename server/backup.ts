import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import type { Call } from './canto.ts'
import { AppError, describeError } from './errors.ts'
import { layOut } from './local/layout.ts'
import { run } from './local/run.ts'

/** What `backup.json` in a backup says about it. */
export interface BackupNote {
  readonly format: 1
  readonly createdAt: string
  /** Whether the local server's data is in it, too. */
  readonly hasLocalServer: boolean
}

/**
 * In this order: a post that is published meanwhile is then waiting in the state and perhaps on the server, where the
 * outbox looks before it sends again; and the index never has more than the server, which would look like a retraction.
 */
export const DATABASES = ['state.sqlite', 'index.sqlite', 'local/ejabberd.sqlite'] as const
export const FILES = ['secret', 'local/accounts.json', 'local/identity.pem', 'local/certificate.pem'] as const
export const UPLOADS = 'local/uploads'

/** `backup FILE`. */
export async function backupCommand({ config, args: [file = ''], say }: Call): Promise<void> {
  await backup(config.data, file)
  const { size } = await stat(file)
  say(
    `Everything of ${config.data} is in ${file} (${Math.ceil(size / 1000).toLocaleString('en')} kB); keep it as secret as a password`,
  )
  if (!config.isLocal) {
    say(
      'The posts themselves are on the XMPP server, whose own backup is its operator’s; their copy in the index is here',
    )
  }
}

/** Writes one .tar.gz, also while Canto runs. The file appears whole or not at all. */
export async function backup(data: string, file: string): Promise<void> {
  if (!existsSync(join(data, 'state.sqlite'))) {
    throw new AppError('not-found', `There is no site in ${data} to back up: set CANTO_DATA`)
  }
  const staging = await makeStaging(file)
  try {
    await mkdir(join(staging, 'local'))
    for (const name of DATABASES)
      if (existsSync(join(data, name))) await copyDatabase(join(data, name), join(staging, name))
    for (const name of FILES) if (existsSync(join(data, name))) await copyFile(join(data, name), join(staging, name))
    const hasLocalServer = existsSync(join(staging, 'local/ejabberd.sqlite'))
    const note: BackupNote = { format: 1, createdAt: new Date().toISOString(), hasLocalServer }
    await writeFile(join(staging, 'backup.json'), JSON.stringify(note))
    await pack({ staging, data, file })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** Beside the file, where there must be room for it anyway, and readable by its owner only. */
async function makeStaging(file: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(file), '.canto-backup-'))
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const words = isMissing ? 'There is no such folder' : describeError(cause)
    throw new AppError('forbidden', `Cannot write to ${dirname(file)}: ${words}`, { cause })
  }
}

/** All pages in one step, so that a busy writer cannot make it begin again and again. */
async function copyDatabase(from: string, to: string): Promise<void> {
  const database = new Database(from, { timeout: 10_000 })
  try {
    await database.backup(to, { progress: () => 1_000_000 })
  } finally {
    database.close()
  }
}

async function pack({ staging, data, file }: { staging: string; data: string; file: string }): Promise<void> {
  const uploads = existsSync(layOut(data).uploads) ? ['-C', data, UPLOADS] : []
  const archive = join(staging, 'archive')
  const parts = [...DATABASES, ...FILES].filter((name) => existsSync(join(staging, name)))
  const packed = await run('tar', ['-czf', archive, '-C', staging, 'backup.json', ...parts, ...uploads])
  // 1 says that a file changed while it was read: an upload that comes in now is in the next backup.
  if (packed.code !== 0 && packed.code !== 1) throw new AppError('internal', `tar failed: ${packed.errors.trim()}`)
  await chmod(archive, 0o600)
  await rename(archive, file)
}
