import { type Kysely, sql } from 'kysely'

const HOUR = 3_600_000

/** How far each node is known, and which nodes send no events. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('node').addColumn('mark', 'text').execute()
  await db.schema.alterTable('node').addColumn('unheard_at', 'integer').execute()
  // A node without a mark may lack posts from before, so it is compared whole once: feeds first, the others over a day.
  const [now, first, rest] = [Date.now(), 6 * HOUR, 18 * HOUR]
  const at = sql`${now} + CASE WHEN kind IN ('blog', 'community') THEN abs(random() % ${first}) ELSE ${first} + abs(random() % ${rest}) END`
  await sql`UPDATE node SET deep_due_at = min(coalesce(deep_due_at, ${now + 24 * HOUR}), ${at})
    WHERE backfill IN ('done', 'partial')`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['mark', 'unheard_at']) await db.schema.alterTable('node').dropColumn(name).execute()
}
