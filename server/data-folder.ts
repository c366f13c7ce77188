import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from './errors.ts'
import { type Lock, takeLock } from './local/lock.ts'

/** Makes the data folder if it is missing, and takes it for this process until the lock is released. */
export async function openDataFolder(data: string): Promise<Lock> {
  await makeDataFolder(data)
  const lock = lockDataFolder(data)
  if (lock !== undefined) {
    await writeFile(join(data, 'canto.pid'), `${process.pid}\n`)
    return lock
  }
  const pid = (await readFile(join(data, 'canto.pid'), 'utf8').catch(() => '')).trim()
  const other = pid === '' ? 'Another Canto' : `Another Canto (process ${pid})`
  throw new AppError(
    'conflict',
    `${other} already uses the data folder ${data}: stop it, or set CANTO_DATA to another folder`,
  )
}

/** The lock of a data folder, or undefined while a Canto runs on it. */
export function lockDataFolder(data: string): Lock | undefined {
  try {
    return takeLock(join(data, 'lock.sqlite'))
  } catch (cause) {
    throw unusable(data, cause as NodeJS.ErrnoException)
  }
}

async function makeDataFolder(data: string): Promise<void> {
  try {
    await mkdir(data, { recursive: true, mode: 0o700 })
    await access(data, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw unusable(data, cause as NodeJS.ErrnoException)
  }
}

function unusable(data: string, cause: NodeJS.ErrnoException): AppError {
  const reasons: Record<string, string> = {
    EACCES: 'this user may not read and write it',
    EPERM: 'this user may not read and write it',
    EROFS: 'its disk is read-only',
    EEXIST: 'it is a file, not a folder',
    ENOTDIR: 'part of its path is a file, not a folder',
    ENOSPC: 'its disk is full',
  }
  const reason = reasons[cause.code ?? ''] ?? cause.message
  const mended = 'make it yours to read and write, or set CANTO_DATA to another folder'
  return new AppError('forbidden', `Cannot use the data folder ${data}, because ${reason}: ${mended}`, { cause })
}
