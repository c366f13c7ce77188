import type { Kysely } from 'kysely'

/** Which follows stand in the list that other clients show to contacts (XEP-0330). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('follow')
    .addColumn('is_shown', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('follow').dropColumn('is_shown').execute()
}
