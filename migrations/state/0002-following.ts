import { type Kysely, sql } from 'kysely'

/** Who follows what, what of it was read, and what was made here. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('follow').renameTo('site_follow').execute()
  await db.schema
    .createTable('follow')
    .addColumn('follower', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('title', 'text')
    .addColumn('feed_url', 'text')
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('subscription', 'text', (column) => column.notNull().defaultTo('none'))
    .addColumn('problem', 'text')
    .addColumn('is_listed', 'integer', (column) => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('follow_address', ['follower', 'service', 'node'])
    .execute()
  await db.schema.createIndex('follow_of_node').on('follow').columns(['service', 'node']).execute()
  // Until now only the site itself followed, and only blogs of accounts.
  await sql`
    INSERT INTO follow (follower, service, node, since)
    SELECT '', jid, 'urn:xmpp:microblog:0', since FROM site_follow
  `.execute(db)
  await db.schema.dropTable('site_follow').execute()

  await db.schema
    .createTable('read_mark')
    .addColumn('reader', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('read_mark_address', ['reader', 'service', 'node', 'item'])
    .execute()

  // One row for each person who reads here: everything that arrived until then counts as read.
  await db.schema
    .createTable('reader')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('read_until', 'text')
    .addColumn('feed_secret', 'text')
    .addColumn('publishes_follows', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.createIndex('reader_secret').on('reader').columns(['feed_secret']).unique().execute()

  // What is written for a community, and the pictures of a gallery.
  for (const name of ['target', 'pictures']) await db.schema.alterTable('draft').addColumn(name, 'text').execute()

  await db.schema
    .createTable('community')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('community_address', ['service', 'node'])
    .execute()
  await db.schema
    .createTable('block')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('block_address', ['service', 'node', 'jid'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['block', 'community', 'reader', 'read_mark']) await db.schema.dropTable(table).execute()
  for (const name of ['target', 'pictures']) await db.schema.alterTable('draft').dropColumn(name).execute()
  await db.schema
    .createTable('site_follow')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('since', 'text', (column) => column.notNull())
    .execute()
  await sql`
    INSERT INTO site_follow (jid, since)
    SELECT service, since FROM follow WHERE follower = '' AND node = 'urn:xmpp:microblog:0'
  `.execute(db)
  await db.schema.dropTable('follow').execute()
  await db.schema.alterTable('site_follow').renameTo('follow').execute()
}
