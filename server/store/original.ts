import type { Insertable } from 'kysely'
import type { ItemAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import { FEED_KINDS, type OriginalTable } from './index-schema.ts'

/** What its own node says of a post that was reposted. */
export type OriginalReading = Omit<Insertable<OriginalTable>, keyof ItemAddress | 'readAt'>

const NOTHING = { author: null, name: null, title: null, alternate: null, commentsService: null, commentsNode: null }

/** That a post was reposted, so that its node is asked; what is known already stays. */
export async function addOriginal(index: IndexDb, { service, node, item }: ItemAddress): Promise<void> {
  await index
    .insertInto('original')
    .values({ service, node, item, status: 'unknown', ...NOTHING, readAt: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What was read at `at`; without a reading only that it was tried, and what was known before stays. */
export async function saveOriginal(
  index: IndexDb,
  { service, node, item }: ItemAddress,
  { reading, at }: { reading?: OriginalReading | 'missing'; at: Date },
): Promise<void> {
  const read = reading === 'missing' ? ({ status: 'missing', ...NOTHING } as const) : reading
  await index
    .updateTable('original')
    .set({ ...read, readAt: at.getTime() })
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .execute()
}

/** Milliseconds after which each is asked again. */
export type Patience = Readonly<Record<OriginalTable['status'], number>>

/** Those that are to be asked now, the longest waiting first; not what the index has as a post anyway. */
export async function listDueOriginals(
  index: IndexDb,
  { now, patience, limit }: { now: Date; patience: Patience; limit: number },
): Promise<ItemAddress[]> {
  return index
    .selectFrom('original')
    .select(['original.service', 'original.node', 'original.item'])
    .where(({ eb, or }) =>
      or(
        (['unknown', 'missing', 'found'] as const).map((status) =>
          eb('status', '=', status).and('readAt', '<=', now.getTime() - patience[status]),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('entry')
            .innerJoin('node', 'node.id', 'entry.nodeId')
            .select('entry.id')
            .whereRef('node.service', '=', 'original.service')
            .whereRef('node.node', '=', 'original.node')
            .whereRef('entry.item', '=', 'original.item')
            .where('node.kind', 'in', FEED_KINDS)
            .where('node.status', '=', 'open'),
        ),
      ),
    )
    .orderBy('readAt')
    .limit(limit)
    .execute()
}

/** Forgets what nobody reposts any more. */
export async function dropUnusedOriginals(index: IndexDb): Promise<void> {
  await index
    .deleteFrom('original')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('entry')
            .select('entry.id')
            .whereRef('entry.viaService', '=', 'original.service')
            .whereRef('entry.viaNode', '=', 'original.node')
            .whereRef('entry.viaItem', '=', 'original.item'),
        ),
      ),
    )
    .execute()
}
