import { readdir } from 'node:fs/promises'
import { type Kysely, type Migration, type MigrationProvider, Migrator } from 'kysely'

/** Where the migrations of each database are. */
export const MIGRATIONS = {
  index: new URL('../../migrations/index/', import.meta.url),
  state: new URL('../../migrations/state/', import.meta.url),
} as const

/** Runs what is missing of a folder, calling `before` with the first name if there is already something to lose. */
export async function migrateToLatest<Schema>(
  db: Kysely<Schema>,
  folder: URL,
  before?: (name: string) => void,
): Promise<void> {
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

function createProvider(folder: URL): MigrationProvider {
  return {
    getMigrations: async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort()
      const load = async (name: string): Promise<[string, Migration]> => {
        return [name.slice(0, -'.ts'.length), (await import(new URL(name, folder).href)) as Migration]
      }
      return Object.fromEntries(await Promise.all(names.map(load)))
    },
  }
}
