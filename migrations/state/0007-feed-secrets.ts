import { type Kysely, sql } from 'kysely'

/** Addresses of private feeds are derived; of those that are known already only a hash stays, so that they go on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('reader').addColumn('feed_counter', 'integer').execute()
  await db.schema.alterTable('reader').addColumn('known_feed_hash', 'text').execute()
  const { rows } = await sql<{ jid: string; secret: string }>`
    SELECT jid, feed_secret AS secret FROM reader WHERE feed_secret IS NOT NULL
  `.execute(db)
  for (const { jid, secret } of rows) {
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(secret))
    const hash = Buffer.from(digest).toString('base64url')
    await sql`UPDATE reader SET feed_counter = 0, known_feed_hash = ${hash} WHERE jid = ${jid}`.execute(db)
  }
  await db.schema.dropIndex('reader_secret').execute()
  await db.schema.alterTable('reader').dropColumn('feed_secret').execute()
  await db.schema.createIndex('reader_known_feed').on('reader').columns(['known_feed_hash']).unique().execute()
}

/** The addresses are made anew: a hash does not tell them. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('reader_known_feed').execute()
  await db.schema.alterTable('reader').addColumn('feed_secret', 'text').execute()
  await db.schema.alterTable('reader').dropColumn('known_feed_hash').execute()
  await db.schema.alterTable('reader').dropColumn('feed_counter').execute()
  await db.schema.createIndex('reader_secret').on('reader').columns(['feed_secret']).unique().execute()
}
