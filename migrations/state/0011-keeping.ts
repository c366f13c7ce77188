import { type Kysely, sql } from 'kysely'

/**
 * An index for the outbox's look every second, without the texts; and the words under marks that do not bind them, as
 * known at the upgrade (`record-old-marks.ts` fills it).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('marked_words')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('marked_words_address', ['service', 'node', 'item'])
    .execute()
  await db.schema.dropIndex('outbox_waiting').execute()
  await createOutboxIndex(db, ['status', 'account', 'id', 'kind', 'service', 'node', 'item', 'next_try'])
  // Indexes for counting what one account keeps, and what all strangers together keep.
  await db.schema.createIndex('community_owner').on('community').columns(['owner']).execute()
  await db.schema.createIndex('block_by').on('block').columns(['by']).execute()
  await db.schema.createIndex('proof_status').on('proof').columns(['status']).execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const index of ['proof_status', 'block_by', 'community_owner', 'outbox_waiting']) {
    await db.schema.dropIndex(index).execute()
  }
  await createOutboxIndex(db, ['status', 'account', 'id'])
  await db.schema.dropTable('marked_words').execute()
  await sql`DELETE FROM setting WHERE key = 'old-marks-recorded'`.execute(db)
}

async function createOutboxIndex(db: Kysely<unknown>, columns: string[]): Promise<void> {
  await db.schema.createIndex('outbox_waiting').on('outbox').columns(columns).execute()
}
