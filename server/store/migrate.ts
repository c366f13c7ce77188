import { readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type Kysely, type Migration, type MigrationProvider, Migrator, sql } from 'kysely'

/** Where the migrations of each database are. */
export const MIGRATIONS = {
  index: new URL('../../migrations/index/', import.meta.url),
  state: new URL('../../migrations/state/', import.meta.url),
} as const

/** The database was migrated by a newer Canto than this one. */
export class NewerDatabaseError extends Error {
  readonly migration: string

  constructor(migration: string) {
    super(`The database has the migration ${migration}, which this Canto does not know`)
    this.migration = migration
  }
}

/** The first migration that a database has and this code does not; undefined where there is none. */
export function findUnknownMigration(executed: readonly string[], folder: URL): string | undefined {
  const known = new Set(listMigrations(readdirSync(folder)).map(nameOf))
  return executed.toSorted().find((name) => !known.has(name))
}

/** Runs what is missing of a folder, calling `before` with the first name if there is already something to lose. */
export async function migrateToLatest<Schema>(
  db: Kysely<Schema>,
  folder: URL,
  before?: (name: string) => void,
): Promise<void> {
  const newer = findUnknownMigration(await listExecuted(db), folder)
  if (newer !== undefined) throw new NewerDatabaseError(newer)
  const migrator = new Migrator({ db, provider: createProvider(folder) })
  const migrations = await migrator.getMigrations()
  const first = migrations.find((migration) => migration.executedAt === undefined)
  if (first === undefined) return
  if (migrations.some((migration) => migration.executedAt !== undefined)) before?.(first.name)
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

/** Undoes the newest migration. */
export async function migrateDown<Schema>(db: Kysely<Schema>, folder: URL): Promise<void> {
  const { error } = await new Migrator({ db, provider: createProvider(folder) }).migrateDown()
  if (error !== undefined) throw error
}

async function listExecuted<Schema>(db: Kysely<Schema>): Promise<string[]> {
  const tables = await sql<{ name: string }>`SELECT name FROM sqlite_master WHERE name = 'kysely_migration'`.execute(db)
  if (tables.rows.length === 0) return []
  return (await sql<{ name: string }>`SELECT name FROM kysely_migration`.execute(db)).rows.map(({ name }) => name)
}

function listMigrations(files: readonly string[]): string[] {
  return files.filter((file) => file.endsWith('.ts')).sort()
}

function nameOf(file: string): string {
  return file.slice(0, -'.ts'.length)
}

function createProvider(folder: URL): MigrationProvider {
  return {
    getMigrations: async () => {
      const names = listMigrations(await readdir(folder))
      const load = async (name: string): Promise<[string, Migration]> => {
        return [nameOf(name), (await import(new URL(name, folder).href)) as Migration]
      }
      return Object.fromEntries(await Promise.all(names.map(load)))
    },
  }
}
