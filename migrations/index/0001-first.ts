import { type Kysely, sql } from 'kysely'

/** Nodes, the entries on them, and what is shown of both. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('node')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('owner', 'text')
    .addColumn('type', 'text')
    .addColumn('title', 'text')
    .addColumn('description', 'text')
    .addColumn('language', 'text')
    .addColumn('status', 'text', (column) => column.notNull().defaultTo('open'))
    .addColumn('is_waiting', 'integer', (column) => column.notNull().defaultTo(1))
    .addColumn('subscription', 'text', (column) => column.notNull().defaultTo('none'))
    .addColumn('problem', 'text')
    .addColumn('next_try_at', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('max_items', 'integer')
    .addColumn('most_items', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('metadata_payload', 'text')
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addUniqueConstraint('node_address', ['service', 'node'])
    .execute()
  await db.schema.createIndex('node_next_try').on('node').columns(['next_try_at']).execute()

  await db.schema
    .createTable('entry')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('node_id', 'integer', (column) => column.notNull().references('node.id').onDelete('cascade'))
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('publisher', 'text')
    .addColumn('author', 'text')
    .addColumn('claimed_jid', 'text')
    .addColumn('claimed_name', 'text')
    .addColumn('credit', 'text', (column) => column.notNull())
    .addColumn('is_post', 'integer', (column) => column.notNull())
    .addColumn('is_like', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('is_untitled', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('excerpt', 'text', (column) => column.notNull())
    .addColumn('summary', 'text')
    .addColumn('html', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull().defaultTo('[]'))
    .addColumn('language', 'text')
    .addColumn('direction', 'text')
    .addColumn('published_at', 'integer', (column) => column.notNull())
    .addColumn('updated_at', 'integer', (column) => column.notNull())
    .addColumn('is_edited', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('atom_id', 'text')
    .addColumn('alternate', 'text')
    .addColumn('comments_service', 'text')
    .addColumn('comments_node', 'text')
    .addColumn('reply_service', 'text')
    .addColumn('reply_node', 'text')
    .addColumn('reply_item', 'text')
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('first_seen_at', 'integer', (column) => column.notNull())
    .addColumn('changed_at', 'integer', (column) => column.notNull())
    .addColumn('overwrites', 'integer', (column) => column.notNull().defaultTo(0))
    .addUniqueConstraint('entry_address', ['node_id', 'item'])
    .execute()
  await db.schema
    .createIndex('entry_of_node')
    .on('entry')
    .columns(['node_id', 'published_at', 'item', 'is_like'])
    .execute()
  await db.schema
    .createIndex('entry_newest')
    .on('entry')
    .columns(['is_post', 'published_at', 'item', 'node_id'])
    .execute()
  await sql`CREATE INDEX entry_comments ON entry (comments_service, comments_node) WHERE comments_node IS NOT NULL`.execute(
    db,
  )

  await db.schema
    .createTable('tag')
    .addColumn('tag', 'text', (column) => column.notNull())
    .addColumn('entry_id', 'integer', (column) => column.notNull().references('entry.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('tag_entry', ['tag', 'entry_id'])
    .execute()
  await db.schema.createIndex('tag_of_entry').on('tag').columns(['entry_id']).execute()

  await db.schema
    .createTable('person')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('named_at', 'integer', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('tombstone')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('removed_at', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('tombstone_address', ['service', 'node', 'item'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['tombstone', 'person', 'tag', 'entry', 'node']) await db.schema.dropTable(table).execute()
}
