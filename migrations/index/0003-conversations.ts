import { type Kysely, sql } from 'kysely'

/** As `WRITER` and `SERVER` of store/arrivals.ts are written. */
const WRITER = 'coalesce(contributor, publisher, author)'
const SERVER = `substr(${WRITER}, instr(${WRITER}, '@') + 1)`

/** What people do with posts: answers from rooms, reactions, reposts; and what of it is held back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const names = ['hold', 'contributor', 'root_service', 'root_node', 'root_item', 'via_service', 'via_node', 'via_item']
  for (const name of names) await db.schema.alterTable('entry').addColumn(name, 'text').execute()
  const root = sql.raw(`root_service, root_node, root_item, ${SERVER}, arrived_at`)
  await sql`CREATE INDEX entry_root ON entry (${root}) WHERE root_item IS NOT NULL`.execute(db)
  await sql`CREATE INDEX entry_via ON entry (via_service, via_node, via_item) WHERE via_item IS NOT NULL`.execute(db)
  await sql`CREATE INDEX entry_held ON entry (hold) WHERE hold IS NOT NULL`.execute(db)
  await sql`CREATE INDEX entry_publisher ON entry (publisher) WHERE publisher IS NOT NULL`.execute(db)
  await sql`CREATE INDEX entry_contributor ON entry (contributor) WHERE contributor IS NOT NULL`.execute(db)
  await db.schema.dropIndex('entry_of_node').execute()
  await db.schema
    .createIndex('entry_of_node')
    .on('entry')
    .columns(['node_id', 'published_at', 'item', 'is_like', 'hold'])
    .execute()
  await db.schema.createIndex('entry_arrived').on('entry').columns(['arrived_at']).execute()
  // What the limits of comments count: each reads no more than it counts, however many come at once.
  const limits = {
    entry_of_writer: [WRITER, 'arrived_at'],
    entry_written: [WRITER, 'published_at'],
    entry_of_server: ['node_id', SERVER, 'arrived_at'],
    entry_written_there: ['node_id', SERVER, 'published_at'],
  }
  for (const [name, columns] of Object.entries(limits)) {
    await sql`CREATE INDEX ${sql.raw(name)} ON entry (${sql.raw(columns.join(', '))}) WHERE is_post = 0 AND is_like = 0`.execute(
      db,
    )
  }
  await db.schema.alterTable('node').addColumn('archive_cursor', 'text').execute()

  await db.schema
    .createTable('reaction')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('reactor', 'text', (column) => column.notNull())
    .addColumn('emoji', 'text', (column) => column.notNull())
    .addColumn('source_service', 'text', (column) => column.notNull())
    .addColumn('source_node', 'text', (column) => column.notNull())
    .addColumn('source_item', 'text', (column) => column.notNull())
    .addColumn('at', 'integer', (column) => column.notNull())
    .addColumn('arrived_at', 'integer', (column) => column.notNull())
    .addColumn('hold', 'text')
    .addColumn('source_id', 'integer', (column) => column.references('entry.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('reaction_address', [
      'service',
      'node',
      'item',
      'emoji',
      'reactor',
      'source_service',
      'source_node',
      'source_item',
    ])
    .execute()
  await db.schema
    .createIndex('reaction_source')
    .on('reaction')
    .columns(['source_service', 'source_node', 'source_item'])
    .execute()
  // In the order in which people are counted, once for each emoji.
  await db.schema
    .createIndex('reaction_of_post')
    .on('reaction')
    .columns(['service', 'node', 'item', 'hold', 'emoji', 'reactor'])
    .execute()
  await db.schema.createIndex('reaction_source_id').on('reaction').columns(['source_id']).execute()
  await db.schema.createIndex('reaction_arrived').on('reaction').columns(['arrived_at']).execute()
  // Hearts that are known already, as comments.
  await sql`
    INSERT OR IGNORE INTO reaction (service, node, item, reactor, emoji, source_service, source_node, source_item, at,
      arrived_at, source_id)
    SELECT blog.service, blog.node, post.item, heart.author, '♥', thread.service, thread.node, heart.item,
      heart.published_at, heart.arrived_at, heart.id
    FROM entry AS heart
    JOIN node AS thread ON thread.id = heart.node_id
    JOIN entry AS post ON post.comments_service = thread.service AND post.comments_node = thread.node
    JOIN node AS blog ON blog.id = post.node_id
    WHERE heart.is_like = 1 AND heart.author IS NOT NULL
  `.execute(db)

  await db.schema
    .createTable('original')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('author', 'text')
    .addColumn('name', 'text')
    .addColumn('title', 'text')
    .addColumn('alternate', 'text')
    .addColumn('comments_service', 'text')
    .addColumn('comments_node', 'text')
    .addColumn('read_at', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('original_address', ['service', 'node', 'item'])
    .execute()

  await db.schema
    .createTable('participant')
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('jid', 'text')
    .addColumn('nick', 'text')
    .addColumn('is_present', 'integer', (column) => column.notNull().defaultTo(1))
    .addColumn('seen_at', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('participant_id', ['channel', 'id'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['participant', 'original', 'reaction']) await db.schema.dropTable(table).execute()
  await db.schema.alterTable('node').dropColumn('archive_cursor').execute()
  for (const index of [
    'entry_of_writer',
    'entry_written',
    'entry_of_server',
    'entry_written_there',
    'entry_root',
    'entry_via',
    'entry_held',
    'entry_publisher',
    'entry_contributor',
    'entry_arrived',
  ])
    await db.schema.dropIndex(index).execute()
  await db.schema.dropIndex('entry_of_node').execute()
  await db.schema
    .createIndex('entry_of_node')
    .on('entry')
    .columns(['node_id', 'published_at', 'item', 'is_like'])
    .execute()
  const names = ['hold', 'contributor', 'root_service', 'root_node', 'root_item', 'via_service', 'via_node', 'via_item']
  for (const name of names) await db.schema.alterTable('entry').dropColumn(name).execute()
}
