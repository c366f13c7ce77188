import { type Insertable, sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import type { OriginalTable } from './index-schema.ts'
import { isAmong, isOneOf } from './json-list.ts'
import { IS_FEED } from './node-kind.ts'

/** Rows that one statement looks at. */
const SLICE = 500

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

/** Originals that are to be asked for now, the longest waiting first. */
export async function listDueOriginals(
  index: IndexDb,
  { now, patience, limit }: { now: Date; patience: Patience; limit: number },
): Promise<ItemAddress[]> {
  const due: (ItemAddress & { readonly readAt: number })[] = []
  for (const status of ['unknown', 'missing', 'found'] as const) {
    const query = index.selectFrom('original').select(['service', 'node', 'item', 'readAt'])
    const ofStatus = query.where('status', '=', status).orderBy('readAt').limit(limit)
    due.push(...(await ofStatus.where('readAt', '<=', now.getTime() - patience[status]).execute()))
    // The clock was put back since.
    due.push(...(await ofStatus.where('readAt', '>', now.getTime()).execute()))
  }
  const longest = due.sort((a, b) => a.readAt - b.readAt).slice(0, limit)
  return longest.map(({ service, node, item }) => ({ service, node, item }))
}

/** The originals among these that the index has as posts anyway, by `addressKey`. */
export async function listKnownOriginals(index: IndexDb, originals: readonly ItemAddress[]): Promise<Set<string>> {
  const rows = await index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['node.service', 'node.node', 'entry.item'])
    .where(isAmong(['node.service', 'node.node', 'entry.item'], originals))
    .where(IS_FEED)
    .where('node.status', '=', 'open')
    .execute()
  return new Set(rows.map(addressKey))
}

/** Forgets what nobody reposts any more. In slices. */
export async function dropUnusedOriginals(index: IndexDb): Promise<void> {
  const pause = createSlices()
  for (let after: number | undefined = 0; after !== undefined; ) {
    const slice = index.selectFrom('original').select(sql<number>`rowid`.as('place')).where(sql`rowid`, '>', after)
    const places: number[] = (await slice.orderBy(sql`rowid`).limit(SLICE).execute()).map(({ place }) => place)
    await index
      .deleteFrom('original')
      .where(isOneOf('rowid', places))
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
    after = places.at(-1)
    await pause()
  }
}
