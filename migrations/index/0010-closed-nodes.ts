import { type Kysely, sql } from 'kysely'

/** Nodes that are hidden before they are cleared, and those that not everybody may read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const name of ['hidden_at', 'doubted_at']) {
    await db.schema.alterTable('node').addColumn(name, 'integer').execute()
  }
  await db.schema.alterTable('node').addColumn('hidden_for', 'text').execute()
  await sql`CREATE INDEX node_hidden ON node (hidden_at) WHERE hidden_at IS NOT NULL`.execute(db)
  await sql`CREATE INDEX node_doubted ON node (doubted_at) WHERE doubted_at IS NOT NULL`.execute(db)
  await sql`CREATE INDEX node_restricted ON node (service, node) WHERE status = 'restricted'`.execute(db)
  await sql`
    UPDATE node SET status = 'restricted'
    WHERE status = 'open' AND access_model <> 'open' AND kind IN ('blog', 'community')
  `.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`UPDATE node SET status = 'closed' WHERE status IN ('restricted', 'hidden')`.execute(db)
  for (const name of ['node_hidden', 'node_doubted', 'node_restricted']) await db.schema.dropIndex(name).execute()
  for (const name of ['hidden_at', 'doubted_at', 'hidden_for']) {
    await db.schema.alterTable('node').dropColumn(name).execute()
  }
}
