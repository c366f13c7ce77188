import type { Kysely } from 'kysely'

/** The access models of people's nodes, as their own sessions read them from the configuration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('own_access')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('access_model', 'text', (column) => column.notNull())
    .addColumn('read_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('own_access_node', ['service', 'node'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('own_access').execute()
}
