import { sql } from 'kysely'
import type { ItemAddress } from '#shared/address.ts'
import type { IndexDb, StateDb } from './database.ts'

/** A comment that somebody else published, as it came. */
export interface Contributed {
  readonly address: ItemAddress
  readonly payload: string
}

/** The digest of the words that were known under an old mark; undefined where there were none. */
export async function findMarkedWords(
  state: StateDb,
  { service, node, item }: ItemAddress,
): Promise<string | undefined> {
  const row = await state
    .selectFrom('markedWords')
    .select('digest')
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .executeTakeFirst()
  return row?.digest
}

/** The first words that are recorded for an address stay. */
export async function addMarkedWords(
  state: StateDb,
  { address, digest }: { readonly address: ItemAddress; readonly digest: string },
): Promise<void> {
  const { service, node, item } = address
  await state
    .insertInto('markedWords')
    .values({ service, node, item, digest })
    .onConflict((conflict) => conflict.columns(['service', 'node', 'item']).doNothing())
    .execute()
}

/** The comments in the index that their writers had published by another account, in parts of so many. */
export async function* listContributed(index: IndexDb, atOnce: number): AsyncGenerator<Contributed[]> {
  let after: { readonly contributor: string; readonly id: number } = { contributor: '', id: 0 }
  for (;;) {
    const rows = await index
      .selectFrom('entry')
      .innerJoin('node', 'node.id', 'entry.nodeId')
      .select(['entry.id', 'entry.contributor', 'entry.item', 'entry.payload', 'node.service', 'node.node'])
      .where('entry.contributor', 'is not', null)
      .where(sql<boolean>`(entry.contributor, entry.id) > (${after.contributor}, ${after.id})`)
      .orderBy('entry.contributor')
      .orderBy('entry.id')
      .limit(atOnce)
      .execute()
    yield rows.map(({ service, node, item, payload }) => ({ address: { service, node, item }, payload }))
    const last = rows.at(-1)
    if (last === undefined || rows.length < atOnce) return
    after = { contributor: last.contributor ?? '', id: last.id }
  }
}

/** The copies that moderators keep of what was removed, in parts of at most so many. */
export async function* listKeptCopies(state: StateDb, atOnce: number): AsyncGenerator<Contributed[]> {
  let after: ItemAddress | undefined
  for (;;) {
    let query = state
      .selectFrom('decision')
      .select(['service', 'node', 'item', 'payload'])
      .orderBy('service')
      .orderBy('node')
      .orderBy('item')
      .limit(atOnce)
    if (after !== undefined) {
      query = query.where(sql<boolean>`(service, node, item) > (${after.service}, ${after.node}, ${after.item})`)
    }
    const rows = await query.execute()
    yield rows.flatMap(({ payload, ...address }) => (payload === null ? [] : [{ address, payload }]))
    const last = rows.at(-1)
    if (last === undefined || rows.length < atOnce) return
    after = { service: last.service, node: last.node, item: last.item }
  }
}
