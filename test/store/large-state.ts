import Database from 'better-sqlite3'
import { openState } from '#server/store/database.ts'

/** A person whose own rows are few, in a state of any size. */
export const ME = 'person-1@capulet.example'

/** Everybody has some 50 rows of each table: `n` is the number of the row. */
const PERSON = `'person-' || (n / 50) || '@capulet.example'`
const ADDRESS = {
  service: `'author-' || (n % 10) || '@capulet.example'`,
  node: `'urn:xmpp:microblog:0'`,
  item: `'post-' || n`,
}
const POST = { blog_service: ADDRESS.service, blog_node: ADDRESS.node, post_item: ADDRESS.item }
const NODE = { service: ADDRESS.service, node: `'feed-' || (n % 1000)` }
const AT = `strftime('%Y-%m-%dT%H:%M:%fZ', 1704067200 + n, 'unixepoch')`
const RARELY = (value: string, otherwise: string) => `iif(n % 5000 = 0, ${value}, ${otherwise})`

const ROWS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  follow: { follower: PERSON, ...NODE, since: AT },
  read_mark: { reader: PERSON, ...ADDRESS, at: AT },
  reader: {
    jid: `'person-' || n || '@capulet.example'`,
    known_feed_hash: `'hash-' || n`,
    notifies_by_message: RARELY('1', '0'),
  },
  account: {
    jid: `'person-' || n || '@capulet.example'`,
    user_agent_id: 'n',
    created_at: AT,
    token: RARELY(`'t'`, 'NULL'),
  },
  browser_session: { hash: `'hash-' || n`, jid: PERSON, created_at: AT, seen_at: AT, expires_at: AT },
  sign_in_failure: { jid: PERSON, address: `'10.0.' || (n / 50)`, at: AT },
  outbox: {
    ...{ account: PERSON, form_key: 'n', kind: `'post'`, ...ADDRESS, task: `'{}'`, created_at: AT },
    ...{ status: RARELY(`'waiting'`, `'done'`), acknowledged_at: AT },
  },
  draft: {
    ...{ jid: PERSON, id: 'n', title: `''`, text: `''`, tags: `''`, language: `''`, summary: `''`, comments: '1' },
    updated_at: AT,
  },
  decision: { ...ADDRESS, ...POST, what: RARELY(`'held'`, `'approved'`), at: AT, author: PERSON },
  thread: { ...ADDRESS, closed_at: AT, closed_by: PERSON },
  report: { ...ADDRESS, ...POST, sender: PERSON, reason: `''`, at: AT, settled_at: RARELY('NULL', AT) },
  notification: {
    ...{ jid: PERSON, kind: `iif(n % 2, 'comment', 'reaction')`, ...ADDRESS, at: AT },
    ...{ read_at: RARELY('NULL', AT) },
  },
  thread_wish: { jid: PERSON, ...ADDRESS, wish: `'follow'`, since: AT },
  follower: { service: PERSON, node: ADDRESS.node, jid: `'follower-' || n || '@montague.example'`, since: AT },
  room_member: { channel: `'room-' || (n / 50) || '@mix.capulet.example'`, jid: PERSON, participant: 'n', since: AT },
  proof: {
    ...{ key: 'n', code: 'n', ...ADDRESS, text: `''`, sender: PERSON, asked: PERSON, created_at: AT, expires_at: AT },
    status: RARELY(`'waiting'`, `'published'`),
  },
  block: {
    ...NODE,
    node: `'feed-' || (n / 50)`,
    jid: `'blocked-' || n || '@montague.example'`,
    by: PERSON,
    since: AT,
    is_seen: '1',
  },
}

/** Tables with a row for each blogger, community or decision of the operator: they are as many here in any state. */
const FEW: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  author: { jid: `'author-' || n || '@capulet.example'`, since: AT },
  community: { service: `'pubsub.capulet.example'`, node: `'feed-' || n`, owner: ADDRESS.service, since: AT },
  room: {
    ...{ service: `'author-' || n || '@capulet.example'`, node: `'urn:xmpp:microblog:0'`, owner: ADDRESS.service },
    ...{ channel: `'room-' || n || '@mix.capulet.example'`, since: AT, status: `'open'` },
  },
  site_block: { address: `'evil-' || n || '.example'`, kind: `'server'`, by: ADDRESS.service, since: AT },
}

/** Fills a new state with so many rows in each table that grows with what people do. */
export async function fillLargeState(path: string, rows: number): Promise<void> {
  await (await openState(path)).destroy()
  const database = new Database(path)
  try {
    database.pragma('synchronous = OFF')
    for (const [tables, count] of [
      [ROWS, rows],
      [FEW, 10],
    ] as const) {
      for (const [table, values] of Object.entries(tables)) {
        database.exec(`WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < ${count})
          INSERT OR IGNORE INTO ${table} (${Object.keys(values).join(', ')}) SELECT ${Object.values(values).join(', ')} FROM count`)
      }
    }
  } finally {
    database.close()
  }
}
