import { type Kysely, sql } from 'kysely'

/** Nodes that are being emptied, so that the next process goes on where this one ends. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('node').addColumn('emptying', 'text').execute()
  await sql`CREATE INDEX node_emptying ON node (id) WHERE emptying IS NOT NULL`.execute(db)
  // Nodes that earlier processes left half emptied.
  await sql`UPDATE node SET emptying = status
    WHERE status IN ('closed', 'deleted') AND EXISTS (SELECT 1 FROM entry WHERE entry.node_id = node.id)`.execute(db)
  await sql`UPDATE node SET emptying = 'left'
    WHERE kind = 'comments' AND emptying IS NULL AND NOT EXISTS (
      SELECT 1 FROM entry WHERE entry.comments_service = node.service AND entry.comments_node = node.node
    )`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('node_emptying').execute()
  await db.schema.alterTable('node').dropColumn('emptying').execute()
}
