import { type Kysely, sql } from 'kysely'

/** The change of an entry's bytes, by the event that changes it. */
const TRIGGERS = {
  entry_bytes_insert: sql`AFTER INSERT ON entry BEGIN
    UPDATE node SET bytes = bytes + octet_length(new.payload) WHERE id = new.node_id;
  END`,
  entry_bytes_update: sql`AFTER UPDATE OF payload ON entry WHEN octet_length(new.payload) <> octet_length(old.payload) BEGIN
    UPDATE node SET bytes = bytes + octet_length(new.payload) - octet_length(old.payload) WHERE id = new.node_id;
  END`,
  entry_bytes_delete: sql`AFTER DELETE ON entry BEGIN
    UPDATE node SET bytes = bytes - octet_length(old.payload) WHERE id = old.node_id;
  END`,
} as const

/** How much of every stranger is here: the bytes of each node, and whose they are. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('node')
    .addColumn('bytes', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await sql`ALTER TABLE node ADD COLUMN holder TEXT AS
    (CASE WHEN instr(service, '@') > 0 THEN service ELSE coalesce(owner, service || '/' || node) END) VIRTUAL`.execute(
    db,
  )
  await sql`UPDATE node SET bytes = sums.bytes
    FROM (SELECT node_id, sum(octet_length(payload)) AS bytes FROM entry GROUP BY node_id) AS sums
    WHERE sums.node_id = node.id`.execute(db)
  for (const [name, trigger] of Object.entries(TRIGGERS)) {
    await sql`CREATE TRIGGER ${sql.raw(name)} ${trigger}`.execute(db)
  }
  await sql`CREATE INDEX node_holder ON node (holder, kind, bytes) WHERE bytes > 0`.execute(db)
  await sql`CREATE INDEX node_cut ON node (kind) WHERE backfill = 'cut'`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['node_cut', 'node_holder']) await db.schema.dropIndex(name).execute()
  for (const name of Object.keys(TRIGGERS)) await sql`DROP TRIGGER ${sql.raw(name)}`.execute(db)
  for (const name of ['holder', 'bytes']) await db.schema.alterTable('node').dropColumn(name).execute()
}
