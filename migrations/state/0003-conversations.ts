import { type Kysely, sql } from 'kysely'

/** Moderation, notifications, rooms, and comments of people who are not signed in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('decision')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('blog_service', 'text', (column) => column.notNull())
    .addColumn('blog_node', 'text', (column) => column.notNull())
    .addColumn('post_item', 'text', (column) => column.notNull())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('before', 'text')
    .addColumn('reason', 'text')
    .addColumn('by', 'text')
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('author', 'text')
    .addColumn('publisher', 'text')
    .addColumn('payload', 'text')
    .addPrimaryKeyConstraint('decision_address', ['service', 'node', 'item'])
    .execute()
  await db.schema
    .createIndex('decision_of_blog')
    .on('decision')
    .columns(['blog_service', 'blog_node', 'what', 'at'])
    .execute()
  await db.schema
    .createIndex('decision_of_author')
    .on('decision')
    .columns(['blog_service', 'blog_node', 'author', 'what'])
    .execute()
  await db.schema
    .createTable('thread')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('closed_at', 'text')
    .addColumn('closed_by', 'text')
    .addPrimaryKeyConstraint('thread_address', ['service', 'node', 'item'])
    .execute()
  await db.schema
    .alterTable('author')
    .addColumn('holds', 'text', (column) => column.notNull().defaultTo('links'))
    .execute()
  await db.schema
    .createTable('site_block')
    .addColumn('address', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .execute()
  await db.schema
    .createTable('report')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('blog_service', 'text', (column) => column.notNull())
    .addColumn('blog_node', 'text', (column) => column.notNull())
    .addColumn('post_item', 'text', (column) => column.notNull())
    .addColumn('reporter', 'text')
    .addColumn('sender', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('settled_at', 'text')
    .addColumn('settled_by', 'text')
    .addUniqueConstraint('report_once', ['service', 'node', 'item', 'sender'])
    .execute()
  await db.schema.createIndex('report_open').on('report').columns(['settled_at', 'at']).execute()

  await db.schema
    .createTable('notification')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('post_service', 'text')
    .addColumn('post_node', 'text')
    .addColumn('post_item', 'text')
    .addColumn('actor', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('actor_name', 'text')
    .addColumn('text', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('read_at', 'text')
    .addColumn('sent_at', 'text')
    .addUniqueConstraint('notification_once', ['jid', 'kind', 'service', 'node', 'item', 'actor', 'text'])
    .execute()
  await db.schema.createIndex('notification_of').on('notification').columns(['jid', 'at', 'id']).execute()
  await db.schema.createIndex('notification_about').on('notification').columns(['service', 'node', 'item']).execute()
  await sql`CREATE INDEX notification_unread ON notification (jid) WHERE read_at IS NULL`.execute(db)
  await db.schema
    .createTable('thread_wish')
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('wish', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('thread_wish_address', ['jid', 'service', 'node', 'item'])
    .execute()
  await db.schema.createIndex('thread_wish_of_post').on('thread_wish').columns(['service', 'node', 'item']).execute()
  await db.schema
    .alterTable('reader')
    .addColumn('notifies_by_message', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema
    .createTable('follower')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('follower_address', ['service', 'node', 'jid'])
    .execute()

  await db.schema
    .createTable('room')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull().unique())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('room_of_blog', ['service', 'node'])
    .execute()
  await db.schema
    .createTable('room_member')
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('participant', 'text', (column) => column.notNull())
    .addColumn('nick', 'text')
    .addColumn('since', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('room_member_address', ['channel', 'jid'])
    .execute()

  await db.schema
    .createTable('proof')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('code', 'text', (column) => column.notNull().unique())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('reply', 'text')
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('asked', 'text')
    .addColumn('sender', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('jid', 'text')
    .addColumn('how', 'text')
    .addColumn('comment_item', 'text')
    .addColumn('problem', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('proof_expires').on('proof').columns(['expires_at']).execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const tables = [
    'proof',
    'room_member',
    'room',
    'follower',
    'thread_wish',
    'notification',
    'report',
    'site_block',
    'thread',
    'decision',
  ]
  for (const table of tables) await db.schema.dropTable(table).execute()
  await db.schema.alterTable('reader').dropColumn('notifies_by_message').execute()
  await db.schema.alterTable('author').dropColumn('holds').execute()
}
