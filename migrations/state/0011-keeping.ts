import { type Kysely, sql } from 'kysely'

/** The words under marks that do not bind them, as they were known at the upgrade (`record-old-marks.ts` fills it). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('marked_words')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('marked_words_address', ['service', 'node', 'item'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('marked_words').execute()
  await sql`DELETE FROM setting WHERE key = 'old-marks-recorded'`.execute(db)
}
