import { type Kysely, sql } from 'kysely'

const TABLES = ['community', 'block'] as const

/** The owners of a community, and those who may shut out, must be seen by the site: stored claims are checked again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) {
    await db.schema
      .alterTable(table)
      .addColumn('is_seen', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
  }
  // An account owns its own nodes: nobody need be asked.
  await sql`UPDATE block SET is_seen = 1 WHERE service = by`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await db.schema.alterTable(table).dropColumn('is_seen').execute()
}
