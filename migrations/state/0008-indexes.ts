import { type Kysely, sql } from 'kysely'

const INDEXES = {
  account_token: 'account (jid) WHERE token IS NOT NULL',
  browser_session_expires: 'browser_session (expires_at)',
  sign_in_failure_at: 'sign_in_failure (at)',
  outbox_node: 'outbox (account, service, node, created_at)',
  outbox_created: 'outbox (status, created_at)',
  outbox_acknowledged_at: 'outbox (status, acknowledged_at)',
  decision_removed_by: `decision (by, at) WHERE what = 'removed' AND payload IS NULL`,
  report_sender: 'report (sender, at)',
  reader_by_message: 'reader (jid) WHERE notifies_by_message = 1',
  proof_sender: 'proof (sender, created_at)',
  proof_asked: 'proof (asked, created_at) WHERE asked IS NOT NULL',
  proof_asked_at: 'proof (created_at) WHERE asked IS NOT NULL',
  block_unseen: 'block (service) WHERE is_seen = 0',
} as const

const MICROBLOG = `'urn:xmpp:microblog:0'`
/** The feeds that rows of each table want in the index. */
const WISHES = {
  follow: (row: string) => `${row}.service, ${row}.node`,
  community: (row: string) => `${row}.service, ${row}.node`,
  author: (row: string) => `${row}.jid, ${MICROBLOG}`,
} as const

/** Indexes for frequent look-ups, so that none goes through everything that people ever did. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, columns] of Object.entries(INDEXES)) {
    await sql`CREATE INDEX ${sql.raw(name)} ON ${sql.raw(columns)}`.execute(db)
  }
  // Feeds whose place in the index is to be decided again, whichever process changed a wish for them.
  await db.schema
    .createTable('changed_wish')
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('changed_wish_address', ['service', 'node'])
    .execute()
  for (const [table, addressOf] of Object.entries(WISHES)) {
    for (const [event, row] of [
      ['insert', 'new'],
      ['delete', 'old'],
    ] as const) {
      await sql`CREATE TRIGGER ${sql.raw(`${table}_${event}`)} AFTER ${sql.raw(`${event} ON ${table}`)} BEGIN
        INSERT INTO changed_wish (service, node) VALUES (${sql.raw(addressOf(row))}) ON CONFLICT DO NOTHING;
      END`.execute(db)
    }
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of Object.keys(WISHES)) {
    for (const event of ['insert', 'delete']) await sql`DROP TRIGGER ${sql.raw(`${table}_${event}`)}`.execute(db)
  }
  await db.schema.dropTable('changed_wish').execute()
  for (const name of Object.keys(INDEXES)) await db.schema.dropIndex(name).execute()
}
