import { createSlices } from '#server/slices.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import { isAmong } from './json-list.ts'
import type { NodeRow } from './node.ts'
import { IS_FEED } from './node-kind.ts'

/** Feeds that one statement looks at. */
const AT_ONCE = 200

/** How the reading of a feed stands. */
export interface FeedHealth extends Pick<NodeRow, 'status' | 'hiddenFor' | 'isWaiting' | 'problem' | 'backfill'> {
  readonly address: NodeAddress
  readonly title?: string
  /** What its owner is called, where it is an account's blog. */
  readonly name?: string
  /** Whether its service sends no events of new posts. */
  readonly isUnheard: boolean
  /** Not everybody may read it, and whoever looks at this has not shown that they may. */
  readonly isUnproved?: boolean
  /** When it was last compared with its service. */
  readonly readAt?: Date
  readonly purgedAt?: Date
  /** The date of its newest post. */
  readonly newestAt?: Date
}

/** By `addressKey`; what the index does not know yet is not in it. In slices. */
export async function listFeedHealth(
  index: IndexDb,
  addresses: readonly NodeAddress[],
): Promise<Map<string, FeedHealth>> {
  const pause = createSlices()
  const rows: Awaited<ReturnType<typeof selectHealth>> = []
  for (let from = 0; from < addresses.length; from += AT_ONCE) {
    rows.push(...(await selectHealth(index, addresses.slice(from, from + AT_ONCE))))
    await pause()
  }
  const found = new Map<string, FeedHealth>()
  for (const row of rows) {
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
  return found
}

async function selectHealth(index: IndexDb, addresses: readonly NodeAddress[]) {
  return index
    .selectFrom('node')
    .leftJoin('person', 'person.jid', 'node.owner')
    .select(['node.service', 'node.node', 'node.kind', 'node.title', 'node.status', 'node.hiddenFor', 'node.isWaiting'])
    .select(['node.problem', 'node.backfill', 'node.unheardAt', 'node.readAt', 'node.purgedAt', 'person.name'])
    .select(({ selectFrom }) =>
      selectFrom('entry')
        .select('entry.publishedAt')
        .whereRef('entry.nodeId', '=', 'node.id')
        .orderBy('entry.publishedAt', 'desc')
        .limit(1)
        .as('newestAt'),
    )
    .where(isAmong(['node.service', 'node.node'], addresses))
    .where(IS_FEED)
    .execute()
}

function dateOf(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds)
}
