import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'

export interface Lock extends Disposable {
  release(): void
}

/**
 * Takes the lock that `path` stands for, or `undefined` while another process has it. It is SQLite's own lock on the
 * file, so the system drops it with the process that held it, however that died.
 */
export function takeLock(path: string): Lock | undefined {
  const database = new Database(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
  const release = () => void database.close()
  return { release, [Symbol.dispose]: release }
}

/** Waits until the lock is free. `onWait` is called once, if it is not at first. */
export async function waitForLock(path: string, onWait: () => void): Promise<Lock> {
  for (let tries = 0; ; tries++) {
    const lock = takeLock(path)
    if (lock !== undefined) return lock
    if (tries === 0) onWait()
    await sleep(200)
  }
}
