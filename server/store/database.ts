import { rename, rm } from 'node:fs/promises'
import Database from 'better-sqlite3'
import { CamelCasePlugin, Kysely, SqliteDialect } from 'kysely'
import type { IndexSchema } from './index-schema.ts'
import { MIGRATIONS, migrateToLatest } from './migrate.ts'
import type { StateSchema } from './state-schema.ts'

/** What was seen on the network: it can be thrown away and rebuilt. */
export type IndexDb = Kysely<IndexSchema>
/** What people keep only here: a backup must hold it. */
export type StateDb = Kysely<StateSchema>

/** Opens and migrates the index; `:memory:` for a test. A broken one is put aside, as everything in it can be read again. */
export async function openIndex(path: string): Promise<IndexDb> {
  try {
    return await tryOpenIndex(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'SQLITE_NOTADB' && code !== 'SQLITE_CORRUPT') throw error
    await rename(path, `${path}.broken`)
    for (const end of ['-wal', '-shm']) await rm(`${path}${end}`, { force: true })
    return await tryOpenIndex(path)
  }
}

async function tryOpenIndex(path: string): Promise<IndexDb> {
  const database = openDatabase(path, 'NORMAL')
  const db = connect<IndexSchema>(database)
  return migrated(db, () => migrateToLatest(db, MIGRATIONS.index))
}

/** Opens and migrates the state. A row is on the disk before its answer; a copy is kept before a migration. */
export async function openState(path: string, migrations: URL = MIGRATIONS.state): Promise<StateDb> {
  const database = openDatabase(path, 'FULL')
  const db = connect<StateSchema>(database)
  const keepCopy = (name: string) => {
    if (!database.memory) database.exec(`VACUUM INTO '${copyPath(path, name).replaceAll("'", "''")}'`)
  }
  return migrated(db, () => migrateToLatest(db, migrations, keepCopy))
}

function openDatabase(path: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${synchronous}`)
  database.pragma('busy_timeout = 10000')
  database.pragma('foreign_keys = ON')
  return database
}

function connect<Schema>(database: Database.Database): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database }), plugins: [new CamelCasePlugin()] })
}

async function migrated<Schema>(db: Kysely<Schema>, migrate: () => Promise<void>): Promise<Kysely<Schema>> {
  try {
    await migrate()
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
