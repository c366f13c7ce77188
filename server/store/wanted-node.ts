import { sql } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { findAuthor } from './author.ts'
import type { StateDb } from './database.ts'

/** Rows that one statement lists. */
const SLICE = 500

/** Whether a feed belongs in the index: an author's blog, a community made here, or a feed that anybody follows. */
export async function isWanted(state: StateDb, { service, node }: NodeAddress): Promise<boolean> {
  if (node === NS.MICROBLOG && (await findAuthor(state, service)) !== undefined) return true
  for (const table of ['follow', 'community'] as const) {
    const query = state.selectFrom(table).select('service').where('service', '=', service).where('node', '=', node)
    if ((await query.limit(1).executeTakeFirst()) !== undefined) return true
  }
  return false
}

/** Feeds that somebody began or ceased to want, as triggers of the state note whoever writes there. */
export async function listChangedWishes(state: StateDb, limit: number): Promise<NodeAddress[]> {
  return state.selectFrom('changedWish').select(['service', 'node']).limit(limit).execute()
}

export async function forgetChangedWish(state: StateDb, { service, node }: NodeAddress): Promise<void> {
  await state.deleteFrom('changedWish').where('service', '=', service).where('node', '=', node).execute()
}

/** Every feed that is wanted, in parts; one may come more than once. */
export async function* listWantedNodes(state: StateDb): AsyncGenerator<NodeAddress[]> {
  const authors = await state.selectFrom('author').select('jid').orderBy('jid').execute()
  yield authors.map(({ jid }) => ({ service: jid, node: NS.MICROBLOG }))
  // Also those whose owner is still to be seen.
  yield await state.selectFrom('community').select(['service', 'node']).execute()
  let last: (NodeAddress & { readonly follower: string }) | undefined
  do {
    const query = state.selectFrom('follow').select(['follower', 'service', 'node'])
    const place = last && sql<boolean>`(follower, service, node) > (${last.follower}, ${last.service}, ${last.node})`
    const after = place === undefined ? query : query.where(place)
    const rows = await after.orderBy('follower').orderBy('service').orderBy('node').limit(SLICE).execute()
    yield rows.map(({ service, node }) => ({ service, node }))
    last = rows.at(-1)
  } while (last !== undefined)
}
