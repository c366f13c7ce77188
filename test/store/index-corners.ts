import Database from 'better-sqlite3'
import type { NodeAddress } from '#shared/address.ts'
import { createCopy } from '#test/support/large-index.ts'
import { ANNOUNCED, DISCUSSED, LONG, POST, ROOM, SMALL } from './index-calls.ts'

const ADDRESS = { service: `'someone@montague.example'`, node: `'node-' || (id % 1000)`, item: `'item-' || id` }
/** Tables that grow with the network, and what a row of each is made of. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  person: { jid: `'person-' || id || '@montague.example'`, name: `'Person'`, named_at: '1' },
  tombstone: { ...ADDRESS, removed_at: '1' },
  known_name: { jid: `'person-' || id || '@montague.example'`, look: `'look-' || id` },
  public_subscription: { owner: `'owner-' || (id % 5000)`, service: ADDRESS.service, node: `'node-' || id` },
  original: { ...ADDRESS, status: `'found'`, read_at: '9e12' },
  participant: { channel: `'room-' || (id % 1000) || '@mix.montague.example'`, id: 'id', seen_at: '1' },
}

const IS_COMMENT = 'is_post = 0 AND is_like = 0'

/**
 * Adds to a large index a blog with few posts, however large the index is; and so many thousand comments in one thread
 * (a thousand of them hearts in any index), half as many answers in a room, and ten times so many blogs that one person follows.
 */
export function addToIndex(path: string, thousands: number): void {
  const database = new Database(path)
  const comments = 1_000 * thousands
  const copy = createCopy(database, comments)
  const addNode = ({ service, node }: NodeAddress, kind: string) => {
    const values = { service: `'${service}'`, node: `'${node}'`, kind: `'${kind}'` }
    copy('node', { of: `kind = 'blog'`, where: 'n = 1', values })
    return String(database.prepare('SELECT id FROM node WHERE service = ? AND node = ?').pluck().get(service, node))
  }
  const addEntries = (count: number, of: string, values: Readonly<Record<string, string>>) =>
    copy('entry', { of, where: `n <= ${count}`, values: { ...values, comments_node: 'NULL' } })
  const small = addNode(SMALL, 'blog')
  addEntries(50, 'is_post = 1', { node_id: small, item: `'small-' || n` })
  addEntries(1, 'is_post = 1', { node_id: small, item: `'${ANNOUNCED.item}'` })
  const linked = { comments_service: `'${LONG.service}'`, comments_node: `'${LONG.node}'` }
  copy('entry', {
    of: 'is_post = 1',
    where: 'n = 1',
    values: { ...linked, node_id: small, item: `'${DISCUSSED.item}'` },
  })
  const via = { via_service: `'${POST.service}'`, via_node: `'${POST.node}'`, via_item: `'${POST.item}'` }
  addEntries(20, 'is_post = 1', { ...via, node_id: small, item: `'repost-' || n` })
  const published = { published_at: 'published_at + n', arrived_at: 'arrived_at + n' }
  addEntries(comments, IS_COMMENT, {
    ...{ ...published, node_id: addNode(LONG, 'comments'), item: `'long-' || n`, is_like: 'n <= 2000 AND n % 2' },
    ...{ reply_ref: `iif(n % 10 = 0, 'long', NULL)`, atom_id: `iif(n = 1, 'long', atom_id)` },
  })
  const { service, node, item } = ANNOUNCED
  const root = { root_service: `'${service}'`, root_node: `'${node}'`, root_item: `'${item}'` }
  const room = addNode({ service: ROOM, node: 'urn:xmpp:mix:nodes:messages' }, 'room')
  const more = `iif(n = 1, '{"kind":"announcement"}', '{"kind":"answer"}')`
  addEntries(comments / 2, IS_COMMENT, { ...root, ...published, more, node_id: room, item: `'talk-' || n` })
  const follows = `n <= ${10 * thousands}`
  const followed = `'followed-' || n || '@montague.example'`
  copy('node', { of: `kind = 'blog'`, where: follows, values: { service: followed, owner: followed } })
  const ofFollowed = { node_id: `(SELECT id FROM node WHERE service = ${followed})`, comments_node: 'NULL' }
  copy('entry', { of: 'is_post = 1', where: follows, values: ofFollowed })
  database.exec(`UPDATE node SET heard_at = (SELECT max(arrived_at) FROM entry)
    WHERE id IN (SELECT id FROM node WHERE kind = 'attachments' ORDER BY id LIMIT 700)`)
  for (const [table, values] of Object.entries(BESIDE)) {
    database.exec(`INSERT INTO ${table} (${Object.keys(values).join(', ')})
      SELECT ${Object.values(values).join(', ')} FROM entry WHERE is_post = 1 AND id % 10 = 0`)
  }
  database.close()
}
