import { type Kysely, sql } from 'kysely'

/** The look of the names of those who write in a thread. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('entry').addColumn('look', 'text').execute()
  await sql`CREATE INDEX entry_look ON entry (node_id, look, author, contributor) WHERE look IS NOT NULL`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('entry_look').execute()
  await db.schema.alterTable('entry').dropColumn('look').execute()
}
