import type { Kysely } from 'kysely'

/** Which version of the reader made an entry, and the names of those who have a blog here, by what they look like. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('entry')
    .addColumn('reader', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.createIndex('entry_reader').on('entry').columns(['reader', 'published_at']).execute()
  await db.schema
    .createTable('known_name')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('look', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('known_name_look').on('known_name').columns(['look']).execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('known_name').execute()
  await db.schema.dropIndex('entry_reader').execute()
  await db.schema.alterTable('entry').dropColumn('reader').execute()
}
