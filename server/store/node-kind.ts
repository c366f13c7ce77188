import { sql } from 'kysely'

// SQLite uses a partial index only where a statement has its very condition (sqlite.org/partialindex.html §3), so these
// are written with literals, as the indexes of migration 0008 are.

/** The condition that a node is a feed of posts. */
export const IS_FEED = sql<boolean>`node.kind IN ('blog', 'community')`
/** The condition that it is the blog of an account. */
export const IS_BLOG = sql<boolean>`node.kind = 'blog'`
/** The condition that it belongs to a post, and is still to be read. */
export const IS_THREAD = sql<boolean>`node.kind IN ('comments', 'attachments') AND node.status <> 'deleted'`
/** The server of a node: of an account its domain. */
export const SERVER = sql<string>`substr(node.service, instr(node.service, '@') + 1)`
