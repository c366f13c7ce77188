import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { FEED_KINDS } from './index-schema.ts'
import type { NodeRow } from './node.ts'

/** How the reading of a feed stands. */
export interface FeedHealth extends Pick<NodeRow, 'status' | 'hiddenFor' | 'isWaiting' | 'problem' | 'backfill'> {
  readonly address: NodeAddress
  readonly title?: string
  /** What its owner is called, where it is an account's blog. */
  readonly name?: string
  /** Whether its service sends no word of new posts. */
  readonly isUnheard: boolean
  /** When it was last compared with its service. */
  readonly readAt?: Date
  readonly purgedAt?: Date
  /** The date of its newest post. */
  readonly newestAt?: Date
}

// SQLite takes 32,766 values in one statement.
const MOST_VARIABLES = 10_000

/** By `addressKey`; what the index does not know yet is not in it. */
export async function listFeedHealth(
  index: IndexDb,
  addresses: readonly NodeAddress[],
): Promise<Map<string, FeedHealth>> {
  const services = [...new Set(addresses.map(({ service }) => service))]
  const found = new Map<string, FeedHealth>()
  for (let at = 0; at < services.length; at += MOST_VARIABLES) {
    for (const row of await selectHealth(index, services.slice(at, at + MOST_VARIABLES))) {
      const address = { service: row.service, node: row.node }
      found.set(addressKey(address), {
        ...{ address, status: row.status, backfill: row.backfill, isWaiting: row.isWaiting === 1 },
        isUnheard: row.unheardAt !== null,
        hiddenFor: row.hiddenFor ?? undefined,
        title: row.title ?? undefined,
        name: (row.kind === 'blog' ? row.name : null) ?? undefined,
        problem: row.problem ?? undefined,
        readAt: dateOf(row.readAt),
        purgedAt: dateOf(row.purgedAt),
        newestAt: dateOf(row.newestAt),
      })
    }
  }
  return found
}

async function selectHealth(index: IndexDb, services: readonly BareJid[]) {
  return index
    .selectFrom('node')
    .leftJoin('person', 'person.jid', 'node.owner')
    .selectAll('node')
    .select('person.name as name')
    .select(({ selectFrom }) =>
      selectFrom('entry')
        .select(({ fn }) => fn.max('entry.publishedAt').as('newest'))
        .whereRef('entry.nodeId', '=', 'node.id')
        .where('entry.isPost', '=', 1)
        .as('newestAt'),
    )
    .where('node.service', 'in', services)
    .where('node.kind', 'in', FEED_KINDS)
    .execute()
}

function dateOf(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds)
}
