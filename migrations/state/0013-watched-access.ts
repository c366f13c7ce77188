import { type Kysely, sql } from 'kysely'

/** Whether the site account hears of every change of a node's configuration: then its owner's word counts until one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('own_access')
    .addColumn('is_watched', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await sql`CREATE INDEX own_access_watched ON own_access (service, node) WHERE is_watched = 1`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('own_access_watched').execute()
  await db.schema.alterTable('own_access').dropColumn('is_watched').execute()
}
