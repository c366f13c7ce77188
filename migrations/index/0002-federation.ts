import { type Kysely, sql } from 'kysely'

/** Communities, how far each node was read, entries of other profiles, and who publicly follows what. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const node = (name: string, type: 'text' | 'integer') => db.schema.alterTable('node').addColumn(name, type).execute()
  for (const name of ['access_model', 'publish_model', 'backfill_cursor']) await node(name, 'text')
  for (const name of [
    'item_count',
    'average_bytes',
    'info_read_at',
    'read_at',
    'deep_read_at',
    'heard_at',
    'purged_at',
    'deep_due_at',
    'other_count',
  ]) {
    await node(name, 'integer')
  }
  await db.schema
    .alterTable('node')
    .addColumn('backfill', 'text', (column) => column.notNull().defaultTo('none'))
    .execute()
  // What was read before this migration was read whole.
  await sql`UPDATE node SET backfill = 'done' WHERE is_waiting = 0`.execute(db)

  const entry = (name: string, type: 'text' | 'integer', otherwise: string | number) =>
    db.schema
      .alterTable('entry')
      .addColumn(name, type, (column) => column.notNull().defaultTo(otherwise))
      .execute()
  await entry('arrived_at', 'integer', 0)
  await entry('profile', 'text', 'microblog')
  await entry('more', 'text', '{}')
  await sql`UPDATE entry SET arrived_at = published_at`.execute(db)

  await db.schema
    .createTable('public_subscription')
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('title', 'text')
    .addPrimaryKeyConstraint('public_subscription_address', ['owner', 'service', 'node'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('public_subscription').execute()
  for (const name of ['arrived_at', 'profile', 'more']) await db.schema.alterTable('entry').dropColumn(name).execute()
  const added = 'access_model publish_model backfill_cursor item_count average_bytes info_read_at read_at deep_read_at'
  for (const name of [...added.split(' '), 'heard_at', 'purged_at', 'deep_due_at', 'other_count', 'backfill']) {
    await db.schema.alterTable('node').dropColumn(name).execute()
  }
}
