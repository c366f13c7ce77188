import { rename, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import Database from 'better-sqlite3'
import { CamelCasePlugin, Kysely, sql } from 'kysely'
import { AppError } from '#server/errors.ts'
import { OneFileDialect } from './dialect.ts'
import type { IndexSchema } from './index-schema.ts'
import { MIGRATIONS, migrateToLatest, NewerDatabaseError } from './migrate.ts'
import type { StateSchema } from './state-schema.ts'

/** Rows of each index that its statistics look at: they cost milliseconds, however large it is. */
const ROWS_LOOKED_AT = 400

/** What was seen on the network: it can be thrown away and rebuilt. */
export type IndexDb = Kysely<IndexSchema>
/** What people keep only here: a backup must hold it. */
export type StateDb = Kysely<StateSchema>

/**
 * Opens and migrates the index; `:memory:` for a test. One that is broken, or of a newer Canto, is put aside, as
 * everything in it can be read again.
 */
export async function openIndex(path: string, migrations: URL = MIGRATIONS.index): Promise<IndexDb> {
  try {
    return await tryOpenIndex(path, migrations)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const isBroken = code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT'
    if (!isBroken && !(error instanceof NewerDatabaseError)) throw error
    await rename(path, `${path}.broken`)
    for (const end of ['-wal', '-shm']) await rm(`${path}${end}`, { force: true })
    return await tryOpenIndex(path, migrations)
  }
}

async function tryOpenIndex(path: string, migrations: URL): Promise<IndexDb> {
  const database = openDatabase(path, 'NORMAL')
  const db = connect<IndexSchema>(database)
  return migrated(db, () => migrateToLatest(db, migrations))
}

/**
 * Opens and migrates the state. A row is on the disk before its answer; a copy is kept before a migration. Throws
 * `conflict` for one of a newer Canto: nothing of it may be lost or misread.
 */
export async function openState(path: string, migrations: URL = MIGRATIONS.state): Promise<StateDb> {
  const database = openDatabase(path, 'FULL')
  const db = connect<StateSchema>(database)
  const keepCopy = (name: string) => {
    if (!database.memory) database.exec(`VACUUM INTO '${copyPath(path, name).replaceAll("'", "''")}'`)
  }
  return migrated(db, () => migrateToLatest(db, migrations, keepCopy)).catch((error: unknown) => {
    throw error instanceof NewerDatabaseError ? explainNewer(path, error) : error
  })
}

function explainNewer(path: string, cause: NewerDatabaseError): AppError {
  const copy = `${basename(path)}.before-${cause.migration}-…`
  const words = `${path} was made by a newer Canto (its migration ${cause.migration} is not known here). Start that version again, or stop Canto and put the copy ${copy} in place of ${basename(path)}`
  return new AppError('conflict', words, { cause })
}

/** Renews what SQLite knows of its tables and indexes, where they have changed much. To be called now and then. */
export async function refreshStatistics(db: IndexDb | StateDb): Promise<void> {
  await sql`PRAGMA optimize`.execute(db as IndexDb)
}

function openDatabase(path: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${synchronous}`)
  database.pragma('busy_timeout = 10000')
  database.pragma('foreign_keys = ON')
  database.pragma(`analysis_limit = ${ROWS_LOOKED_AT}`)
  return database
}

function connect<Schema>(database: Database.Database): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new OneFileDialect(database), plugins: [new CamelCasePlugin()] })
}

async function migrated<Schema>(db: Kysely<Schema>, migrate: () => Promise<void>): Promise<Kysely<Schema>> {
  try {
    await migrate()
    // Includes tables that have no statistics yet (sqlite.org/pragma.html#pragma_optimize).
    await sql`PRAGMA optimize = 0x10002`.execute(db)
    return db
  } catch (error) {
    await db.destroy()
    throw error
  }
}

function copyPath(path: string, migration: string): string {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  return `${path}.before-${migration}-${stamp}`
}
