import Database from 'better-sqlite3'
import { ingest } from '#server/feeds/ingest.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { asItemId, type ItemAddress, type ItemId, type NodeAddress } from '#shared/address.ts'
import { writeComment, writeEntry } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { parseXml } from '#shared/xml.ts'
import { createTestContext, jidOf } from './context.ts'

export interface LargeIndexOptions {
  readonly posts: number
  /** Bloggers, who write in turn. */
  readonly authors?: number
  /** The domain of the bloggers' accounts. */
  readonly domain?: string
}

const DOMAIN = 'capulet.example'
/** Milliseconds between two posts. */
const APART = 60_000
const FIRST_AT = Date.UTC(2024, 0, 1)
/** One post in so many has a comment, and a node of attachments with a heart on it. */
const EVERY = 7

/** The blog of one of the authors, counted from 1. */
export function blogOfAuthor(number: number, domain = DOMAIN): NodeAddress {
  return { service: jidOf(`author-${number}@${domain}`), node: NS.MICROBLOG }
}

/** The item of one of the posts, counted from 1. The last is the newest. */
export function itemOfPost(number: number): ItemId {
  return asItemId(`post-${number}`)
}

/** The comments node of a post. */
export function threadOfPost({ service, item }: ItemAddress): NodeAddress {
  return { service, node: `${NS.COMMENTS_PREFIX}${item}` }
}

/**
 * Fills a new index with posts as Canto makes them, each with its comments node. The first post goes through `ingest`;
 * the others are copies of its rows. 300,000 posts take about 15 seconds and 0.6 GB.
 */
export async function fillLargeIndex(path: string, options: LargeIndexOptions): Promise<void> {
  const { posts, authors = 10, domain = DOMAIN } = options
  await ingestFirstPost(path, blogOfAuthor(1, domain))
  const database = new Database(path)
  try {
    database.pragma('synchronous = OFF')
    database.pragma('cache_size = -200000')
    // Else every page is written twice, to the log first.
    database.pragma('journal_mode = MEMORY')
    // An index is built faster than kept while rows come.
    const indexes = database.prepare(`SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`)
    const known = indexes.all() as { name: string; sql: string }[]
    for (const { name } of known) database.exec(`DROP INDEX ${name}`)
    database.transaction(() => copyFirstPost(database, { posts, authors, domain }))()
    for (const { sql } of known) database.exec(sql)
    database.pragma('journal_mode = WAL')
  } finally {
    database.close()
  }
}

/** One post with its comments, its attachments, a comment and a heart: what all others are like. */
async function ingestFirstPost(indexPath: string, blog: NodeAddress): Promise<void> {
  const author: BareJid = blog.service
  await using ctx = await createTestContext({ indexPath, siteJid: `canto@${domainOf(author)}` })
  const [at, person] = [new Date(FIRST_AT), { jid: author, name: 'Author 1' }]
  ctx.setNow(at)
  // The attachments of the site's own authors are read.
  await addAuthorRow(ctx.state, author, at)
  await addNode(ctx.index, { address: blog, kind: 'blog', owner: author, now: at })
  const post = { ...blog, item: itemOfPost(1) }
  const [thread, attachments] = [threadOfPost(post), attachmentsOf(post)]
  const payload = writeEntry({
    ...{ address: post, author: person, published: at, updated: at, comments: thread },
    atomId: createTagUri(author, at, post.item),
    draft: {
      ...{ title: 'Post 1', text: 'What *light* through yonder window breaks?', tags: ['night'] },
      ...{ language: 'en', summary: '', comments: true },
    },
  })
  await ingest(ctx, { kind: 'published', address: post, item: { id: post.item, payload, publisher: author } })
  const comment = { ...thread, item: asItemId('comment-1') }
  const words = writeComment({ text: 'It is the east.', address: comment, author: person, published: at })
  await ingest(ctx, {
    kind: 'published',
    address: comment,
    item: { id: comment.item, payload: words, publisher: author },
  })
  const heart = { ...attachments, item: asItemId(author) }
  const reactions = parseXml(
    `<attachments xmlns='urn:xmpp:pubsub-attachments:1'><reactions><reaction>♥</reaction></reactions></attachments>`,
  )
  await ingest(ctx, {
    kind: 'published',
    address: heart,
    item: { id: heart.item, payload: reactions, publisher: author },
  })
  for (const address of [blog, thread, attachments]) {
    await updateNode(ctx.index, address, {
      ...{ isWaiting: 0, subscription: 'subscribed', backfill: 'done', readAt: FIRST_AT },
      ...{ nextTryAt: Date.UTC(2100, 0), deepDueAt: Date.UTC(2100, 0) },
    })
  }
}

/** `n` of a statement is the number of the post. */
function copyFirstPost(database: Database.Database, { posts, authors, domain }: Required<LargeIndexOptions>): void {
  const jid = `'author-' || (1 + (n - 1) % ${authors}) || '@${domain}'`
  const [from, to] = [`'author-1@${domain}'`, jid]
  const named = (text: string) => `replace(replace(${text}, ${from}, ${to}), 'post-1', 'post-' || n)`
  const at = `${FIRST_AT} + n * ${APART}`
  const times = { published_at: at, updated_at: at, arrived_at: at, first_seen_at: at, changed_at: at }
  const people = { publisher: jid, author: jid, claimed_jid: jid }
  const id = (node: string) => `(SELECT id FROM node WHERE service = ${jid} AND node = ${named(node)})`
  const all = `n BETWEEN 2 AND ${posts}`
  const some = `${all} AND n % ${EVERY} = 1`
  const copy = createCopy(database, posts)

  const node = { service: jid, node: named('first.node'), owner: jid }
  copy('node', { of: `first.kind = 'blog'`, where: `n BETWEEN 2 AND ${authors}`, values: node })
  copy('node', { of: `first.kind = 'comments'`, where: all, values: node })
  copy('node', { of: `first.kind = 'attachments'`, where: some, values: node })
  copy('entry', {
    ...{ of: 'first.is_post = 1', where: all },
    values: {
      ...{ ...times, ...people, node_id: id(`'${NS.MICROBLOG}'`), item: `'post-' || n`, title: `'Post ' || n` },
      ...{ atom_id: named('first.atom_id'), payload: named('first.payload') },
      ...{ comments_service: jid, comments_node: named('first.comments_node') },
    },
  })
  const of = (kind: string) =>
    `first.is_post = 0 AND first.node_id = (SELECT id FROM node WHERE kind = '${kind}' ORDER BY id)`
  const nodeOf = (kind: string) => id(`(SELECT node FROM node WHERE kind = '${kind}' ORDER BY id LIMIT 1)`)
  copy('entry', { of: of('comments'), where: some, values: { ...times, ...people, node_id: nodeOf('comments') } })
  copy('entry', {
    ...{ of: of('attachments'), where: some },
    values: { ...times, ...people, node_id: nodeOf('attachments'), item: jid },
  })
  const place = 'id, node_id, published_at, item, alternate IS NOT NULL'
  const tag = '(tag, entry_id, node_id, published_at, item, is_public)'
  database.exec(`INSERT INTO tag ${tag} SELECT 'night', ${place} FROM entry WHERE is_post = 1 AND item <> 'post-1'`)
  database.exec(`INSERT INTO tag ${tag} SELECT 'tag-' || (id % 1000), ${place} FROM entry WHERE is_post = 1`)
  database.exec(`INSERT OR IGNORE INTO person (jid, name, named_at)
    SELECT service, 'Author ' || id, ${FIRST_AT} FROM node WHERE kind = 'blog'`)
  const target = { service: jid, node: `'${NS.MICROBLOG}'`, item: `'post-' || n`, reactor: jid, at, arrived_at: at }
  const source = { source_service: jid, source_node: named('first.source_node'), source_item: jid }
  const entry = `(SELECT id FROM entry WHERE node_id = ${nodeOf('attachments')} AND item = ${jid})`
  copy('reaction', { of: 'TRUE', where: some, values: { ...target, ...source, source_id: entry } })
}

interface Copies {
  /** Which row is copied; it is called `first`. */
  readonly of: string
  /** For which numbers. */
  readonly where: string
  /** The columns that differ, in SQL. */
  readonly values: Readonly<Record<string, string>>
}

/** Returns a function that copies one row of a table for each number `n` from 1 to `most` that a condition lets through. */
export function createCopy(database: Database.Database, most: number) {
  database.exec(`CREATE TEMP TABLE number AS WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < ${most})
    SELECT n FROM count`)
  return (table: string, { of, where, values }: Copies) => {
    const columns = (database.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name)
    const copied = columns.filter((name) => name !== 'id')
    database.exec(`CREATE TEMP TABLE first AS SELECT * FROM ${table} AS first WHERE ${of} ORDER BY rowid LIMIT 1`)
    database.exec(`INSERT INTO ${table} (${copied.join(', ')})
      SELECT ${copied.map((name) => values[name] ?? `first.${name}`).join(', ')} FROM number, first WHERE ${where} ORDER BY n`)
    database.exec('DROP TABLE first')
  }
}
