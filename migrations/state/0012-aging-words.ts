import type { Kysely } from 'kysely'

/** Sightings count for a time only: when an owner was last seen, and indexes over when access models were read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('community').addColumn('seen_at', 'text').execute()
  await db.schema.createIndex('own_access_read_at').on('own_access').columns(['read_at']).execute()
  await db.schema.createIndex('own_access_account').on('own_access').columns(['service', 'read_at']).execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('own_access_account').execute()
  await db.schema.dropIndex('own_access_read_at').execute()
  await db.schema.alterTable('community').dropColumn('seen_at').execute()
}
