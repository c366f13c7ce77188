import type { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import { findNode, isRead } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { Item, PubsubEvent, XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { writeSortedXml } from '#shared/xml.ts'
import { readAccess } from './access.ts'
import { isOwnGround } from './belief.ts'
import { ingest } from './ingest.ts'
import { findNodeAgain } from './lose-node.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { requireSite } from './site-session.ts'
import { WaitingError } from './waiting-error.ts'

/** It was done otherwise than it was wished: nothing of it shows here, or a comment was emptied instead of retracted. */
export interface Sent {
  readonly reason: 'unseen' | 'emptied'
  /** Why nothing shows, in a sentence for the person who sent it. */
  readonly problem?: string
}

/** An action that somebody's session has just done; `row` says by whom and since when. */
export interface Deed {
  readonly session: XmppSession
  readonly row: Pick<OutboxRow, 'createdAt'>
  readonly address: ItemAddress
}

const DAY = 24 * 3_600_000
const REFUSALS = ['forbidden', 'not-authorized', 'not-implemented', 'bad-request', 'gone'] as const

/**
 * Puts an item that a session has published into the index: on the session's own ground as it was sent, anywhere else as
 * the site account reads it back. Throws WaitingError until that can be done.
 */
export async function showPublished(deps: OutboxDeps, deed: Deed, item: Item): Promise<Sent | undefined> {
  const { session, address } = deed
  if (await isOwnGround(deps, session.jid, address.service)) {
    await ingestOwn(deps, { kind: 'published', address, item })
    return undefined
  }
  const seen = await readBack(deps, address)
  if (seen === 'unreadable') return unseen(describeUnreadable(address, 'it does not show here'))
  if (seen?.payload === undefined) return waitFor(deps, deed, 'It shows here once this site can read it there')
  // The site account can read the node, so it is there, whatever was found before; who else may read it stays open.
  const node = await findNode(deps.index, address)
  if (node !== undefined && !isRead(node)) {
    await findNodeAgain(deps, address, await readAccess({ ...deps, site: requireSite(deps) }, node))
  }
  // A service that names no publisher still has the very words that this account sent by this site. Of this account
  // alone: whom else its session names as the publisher is its own server's word.
  const isSame = item.payload !== undefined && isSameElement(item.payload, seen.payload)
  const publisher = seen.publisher ?? (isSame ? session.jid : undefined)
  await ingestOwn(deps, { kind: 'published', address, item: { ...seen, publisher } })
  return undefined
}

/** Takes an item that a session has retracted out of the index: elsewhere than on its own ground once it is seen to be gone. */
export async function showRetracted(deps: OutboxDeps, deed: Deed): Promise<Sent | undefined> {
  const { session, address } = deed
  if (!(await isOwnGround(deps, session.jid, address.service))) {
    const seen = await readBack(deps, address)
    if (seen === 'unreadable') return unseen(describeUnreadable(address, 'it is not removed here'))
    if (seen !== undefined) return waitFor(deps, deed, 'It is removed here once it is gone there')
  }
  await ingestOwn(deps, { kind: 'retracted', address })
  return undefined
}

async function readBack(deps: OutboxDeps, address: ItemAddress): Promise<Item | undefined | 'unreadable'> {
  try {
    return await requireSite(deps).pubsub.findItem(address)
  } catch (error) {
    if (isAppError(error, ...REFUSALS)) return 'unreadable'
    throw error
  }
}

/** Throws WaitingError for a day: what shows later comes by the reading of its node. */
export function waitFor({ clock }: OutboxDeps, { row, address }: Pick<Deed, 'row' | 'address'>, until: string): Sent {
  const problem = `It was sent to ${address.service}. ${until}`
  if (isWithinLast(DAY, row.createdAt, clock())) throw new WaitingError('unseen', problem)
  return unseen(problem)
}

export function unseen(problem: string): Sent {
  return { reason: 'unseen', problem }
}

function describeUnreadable({ service }: ItemAddress, so: string): string {
  return `It was sent to ${service}, which does not let this site read it: ${so}`
}

function isSameElement(a: Element, b: Element): boolean {
  return writeSortedXml(a) === writeSortedXml(b)
}

/** Puts what is known to have happened into the index, so that the page has it before the service tells. */
async function ingestOwn(deps: OutboxDeps, event: PubsubEvent): Promise<void> {
  try {
    await ingest(deps, event)
  } catch (error) {
    // It is on the network, which is the truth: the index hears of it again.
    deps.log.error({ item: addressKey(event.address), err: error }, 'What was published could not be indexed')
    deps.indexing?.watch(event.address)
  }
}
