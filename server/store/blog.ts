import { addressKey, type NodeAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import type { Loss, NodeStatus } from './index-schema.ts'
import { isAmong, isOneOf } from './json-list.ts'
import { IS_BLOG, IS_FEED } from './node-kind.ts'
import type { PersonName } from './post-row.ts'

/** A feed: an account's blog, or any other node that is read here. */
export interface BlogRow {
  readonly kind: 'blog' | 'community'
  readonly address: NodeAddress
  readonly title?: string
  readonly description?: string
  /** `pubsub#type`. */
  readonly type?: string
  readonly publishModel?: string
  /** Whose blog it is; of a community, its service. */
  readonly author: PersonName
  readonly language?: string
  /** When its node became known here. */
  readonly createdAt: Date
  readonly status: NodeStatus
  /** Why it is hidden, if it is. */
  readonly hiddenFor?: Loss
  /** Not read for the first time yet. */
  readonly isWaiting: boolean
  /** Why it cannot be read or listened to, if so. */
  readonly problem?: string
  /** `partial`: its service does not give us the older posts; `cut`: it has more than is read here. */
  readonly backfill: 'none' | 'underway' | 'done' | 'partial' | 'cut'
  /** When its owner removed everything at once. */
  readonly purgedAt?: Date
}

export async function findBlog(index: IndexDb, { service, node }: NodeAddress): Promise<BlogRow | undefined> {
  const [blog] = await selectBlogs(index).where('node.service', '=', service).where('node.node', '=', node).execute()
  return blog && readBlog(blog)
}

/** The feeds at these addresses, by `feedKey`. */
export async function listFeeds(index: IndexDb, addresses: readonly NodeAddress[]): Promise<Map<string, BlogRow>> {
  const rows = await selectBlogs(index)
    .where(isAmong(['node.service', 'node.node'], addresses))
    .execute()
  return new Map(rows.map((row) => [feedKey(row), readBlog(row)]))
}

/** A feed's own key, of a node or any item on it. */
export function feedKey({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}

/** The blogs of these people, by address. */
export async function listBlogs(index: IndexDb, owners: readonly BareJid[]): Promise<BlogRow[]> {
  const rows = await selectBlogs(index)
    .where(IS_BLOG)
    .where(isOneOf('node.owner', owners))
    .orderBy('node.service')
    .execute()
  return rows.map(readBlog)
}

function selectBlogs(index: IndexDb) {
  return index
    .selectFrom('node')
    .leftJoin('person', 'person.jid', 'node.owner')
    .selectAll('node')
    .select('person.name as personName')
    .where(IS_FEED)
}

type SelectedBlog = Awaited<ReturnType<ReturnType<typeof selectBlogs>['executeTakeFirstOrThrow']>>

function readBlog(row: SelectedBlog): BlogRow {
  const isBlog = row.kind === 'blog'
  const jid = isBlog ? (row.owner ?? row.service) : row.service
  return {
    kind: isBlog ? 'blog' : 'community',
    address: { service: row.service, node: row.node },
    title: row.title ?? (isBlog ? undefined : row.node),
    description: row.description ?? undefined,
    type: row.type ?? undefined,
    publishModel: row.publishModel ?? undefined,
    author: { jid, name: (isBlog ? row.personName : null) ?? localPart(jid) ?? jid },
    language: row.language ?? undefined,
    createdAt: new Date(row.createdAt),
    status: row.status,
    hiddenFor: row.hiddenFor ?? undefined,
    isWaiting: row.isWaiting === 1,
    problem: row.problem ?? undefined,
    backfill: row.backfill,
    purgedAt: row.purgedAt === null ? undefined : new Date(row.purgedAt),
  }
}
