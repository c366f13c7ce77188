import { type Kysely, sql } from 'kysely'

/** As `SERVER` of store/node-schedule.ts is written. */
const SERVER = `substr(service, instr(service, '@') + 1)`
/** Conditions of store/index-schema.ts: SQLite uses a partial index only where a statement has its very condition. */
const IS_FEED = `kind IN ('blog', 'community')`
const IS_THREAD = `kind IN ('comments', 'attachments')`

const INDEXES = {
  node_feed: `node (id) WHERE ${IS_FEED}`,
  node_feed_problem: `node (id) WHERE ${IS_FEED} AND problem IS NOT NULL`,
  node_feed_server: `node (${SERVER}) WHERE ${IS_FEED}`,
  node_feed_due: `node (next_try_at) WHERE ${IS_FEED}`,
  node_blog: `node (owner) WHERE kind = 'blog'`,
  node_thread_due: `node (next_try_at) WHERE ${IS_THREAD} AND status <> 'deleted'`,
  node_thread_heard: `node (heard_at) WHERE ${IS_THREAD} AND status <> 'deleted' AND heard_at IS NOT NULL`,
  node_thread_missing: `node (owner) WHERE kind = 'comments' AND status <> 'open'`,
  node_deep_due: `node (deep_due_at) WHERE deep_due_at IS NOT NULL`,
  node_server: `node (${SERVER}, next_try_at)`,
  node_server_deep: `node (${SERVER}, deep_due_at) WHERE deep_due_at IS NOT NULL`,
  entry_news: `entry (node_id, arrived_at)`,
  entry_public: `entry (node_id, published_at, item) WHERE alternate IS NOT NULL`,
  entry_with_thread: `entry (arrived_at) WHERE comments_node IS NOT NULL`,
  original_due: `original (status, read_at)`,
} as const

/** Indexes with which no statement goes through a million posts and their comments nodes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`DROP INDEX node_next_try`.execute(db)
  for (const [name, columns] of Object.entries(INDEXES)) {
    await sql`CREATE INDEX ${sql.raw(name)} ON ${sql.raw(columns)}`.execute(db)
  }
  // A tag is looked up on one feed after another, each in the order of its posts.
  for (const [name, type] of [
    ['node_id', 'integer'],
    ['published_at', 'integer'],
    ['item', 'text'],
    ['is_public', 'integer'],
  ] as const) {
    await db.schema.alterTable('tag').addColumn(name, type).execute()
  }
  await sql`UPDATE tag SET (node_id, published_at, item, is_public) =
    (SELECT node_id, published_at, item, alternate IS NOT NULL FROM entry WHERE id = entry_id)`.execute(db)
  await sql`CREATE INDEX tag_place ON tag (tag, node_id, published_at, item)`.execute(db)
  await sql`CREATE INDEX tag_public ON tag (tag, node_id, published_at, item) WHERE is_public = 1`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['tag_place', 'tag_public']) await db.schema.dropIndex(name).execute()
  for (const name of ['node_id', 'published_at', 'item', 'is_public'])
    await db.schema.alterTable('tag').dropColumn(name).execute()
  for (const name of Object.keys(INDEXES)) await db.schema.dropIndex(name).execute()
  await db.schema.createIndex('node_next_try').on('node').columns(['next_try_at']).execute()
}
