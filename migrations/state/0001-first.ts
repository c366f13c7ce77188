import type { Kysely } from 'kysely'

/** What people keep only here: who they are to the site, what waits to be published, drafts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('author')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('consent', 'text', (column) => column.notNull().defaultTo('unasked'))
    .addColumn('consent_posts', 'text')
    .addColumn('max_items', 'integer')
    .execute()

  await db.schema
    .createTable('follow')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('since', 'text', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('outbox')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('form_key', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('task', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('problem', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('next_try', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('acknowledged_at', 'text')
    .addUniqueConstraint('outbox_form', ['account', 'form_key'])
    .execute()
  await db.schema.createIndex('outbox_waiting').on('outbox').columns(['status', 'account', 'id']).execute()
  await db.schema.createIndex('outbox_address').on('outbox').columns(['service', 'node', 'item']).execute()
  await db.schema.createIndex('outbox_acknowledged').on('outbox').columns(['account', 'acknowledged_at']).execute()

  await db.schema
    .createTable('draft')
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('edits', 'text')
    .addColumn('base_updated', 'text')
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('language', 'text', (column) => column.notNull())
    .addColumn('summary', 'text', (column) => column.notNull())
    .addColumn('comments', 'integer', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('draft_of_account', ['jid', 'id'])
    .execute()

  await db.schema
    .createTable('account')
    .addColumn('jid', 'text', (column) => column.primaryKey())
    .addColumn('user_agent_id', 'text', (column) => column.notNull())
    .addColumn('token', 'text')
    .addColumn('name', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('browser_session')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('password', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('seen_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('ended_reason', 'text')
    .execute()
  await db.schema.createIndex('browser_session_jid').on('browser_session').columns(['jid']).execute()

  await db.schema
    .createTable('sign_in_failure')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('sign_in_failure_jid').on('sign_in_failure').columns(['jid', 'at']).execute()
  await db.schema.createIndex('sign_in_failure_address').on('sign_in_failure').columns(['address', 'at']).execute()

  await db.schema
    .createTable('setting')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const tables = ['setting', 'sign_in_failure', 'browser_session', 'account', 'draft', 'outbox', 'follow', 'author']
  for (const table of tables) await db.schema.dropTable(table).execute()
}
