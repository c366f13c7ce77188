import { sql } from 'kysely'
import type { IndexDb } from '#server/store/database.ts'

export interface Growth {
  /** The item of a comment that is there: all others are like it, a second apart each, and came a day before it. */
  readonly like: string
  readonly count: number
  /** Which item the nth of them (`c1`, `c2`, …) answers; SQL over `n`, null for the post. */
  readonly answers?: string
  /** They arrived just now, instead of a day ago. */
  readonly isNews?: boolean
}

/** Thousands of comments at once: each by way of ingest would take minutes. */
export async function growThread(
  index: IndexDb,
  { like, count, answers = 'NULL', isNews = false }: Growth,
): Promise<void> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM pragma_table_info('entry')`.execute(index)
  const given = ['id', 'item', 'published_at', 'arrived_at', 'reply_service', 'reply_node', 'reply_item']
  const kept = rows.map(({ name }) => name).filter((name) => !given.includes(name))
  const columns = sql.raw(kept.join(', '))
  const copied = sql.raw(kept.map((name) => `first.${name}`).join(', '))
  await sql`WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${count})
    INSERT INTO entry (item, published_at, arrived_at, reply_service, reply_node, reply_item, ${columns})
    SELECT 'c' || n, first.published_at + n * 1000, first.arrived_at - ${isNews ? 0 : 86_400_000}, node.service, node.node, ${sql.raw(answers)}, ${copied}
    FROM copy, entry AS first JOIN node ON node.id = first.node_id WHERE first.item = ${like}`.execute(index)
}
