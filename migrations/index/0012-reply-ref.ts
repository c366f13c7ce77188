import { type Kysely, sql } from 'kysely'

/** Replies that name what they answer by its `atom:id` alone (RFC 4685 §3). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('entry').addColumn('reply_ref', 'text').execute()
  await sql`CREATE INDEX entry_reply_ref ON entry (node_id, reply_ref) WHERE reply_ref IS NOT NULL`.execute(db)
  await sql`CREATE INDEX entry_comment_id ON entry (node_id, atom_id) WHERE is_post = 0 AND atom_id IS NOT NULL`.execute(
    db,
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const index of ['entry_comment_id', 'entry_reply_ref']) await db.schema.dropIndex(index).execute()
  await db.schema.alterTable('entry').dropColumn('reply_ref').execute()
}
