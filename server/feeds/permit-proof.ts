import type { IndexDb } from '#server/store/database.ts'
import { listOldestOfOthers } from '#server/store/entry.ts'
import { findNode, isFeed } from '#server/store/node.ts'
import type { Item, Pubsub, XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { writeSortedXml } from '#shared/xml.ts'
import { type BeliefDeps, isOwnGround } from './belief.ts'

export interface ProofDeps extends BeliefDeps {
  readonly index: IndexDb
  readonly siteDomain: BareJid
  readonly site: Pick<XmppSession, 'pubsub'>
}

/** `unproved`: there is nothing on the node that would prove it. */
export type ReadingProof = 'same' | 'different' | 'unproved'

/** Items among which one of somebody else's has to be. */
const NEWEST = 10
/** Items that are asked for besides, where the newest is a stranger's. */
const OLDEST = 3

/**
 * Whether a session gets the newest item by others that the site account gets: one that its person cannot know by
 * having written it. Compared once more where they differ: something may have come in between.
 */
export async function proveReading(
  deps: ProofDeps,
  { jid, pubsub }: Pick<XmppSession, 'jid' | 'pubsub'>,
  address: NodeAddress,
): Promise<ReadingProof> {
  const isOfOthers = await chooseWitnesses(deps, jid, address)
  let proof: ReadingProof = 'unproved'
  for (let attempt = 0; attempt < 2; attempt++) {
    // Theirs first: a refusal is all there is to know.
    const their = await readNewest(pubsub, address)
    const witness = (await readNewest(deps.site.pubsub, address)).find(isOfOthers)
    if (witness === undefined) return 'unproved'
    if (isAmong(their, witness) && (await knowsOthers(deps, { jid, pubsub }, { address, witness }))) return 'same'
    proof = 'different'
  }
  return proof
}

/**
 * Which items a person's server cannot make up: it is believed about the nodes that it keeps itself; elsewhere those that no
 * account of it has published, and on the site's own server, which does not lie, those that this account has not.
 */
async function chooseWitnesses(deps: ProofDeps, jid: BareJid, address: NodeAddress) {
  const keepsIt = domainOf(address.service) === domainOf(jid) || (await isOwnGround(deps, jid, address.service))
  if (keepsIt) return () => true
  const node = await findNode(deps.index, address)
  // Only the account itself publishes its posts. Comments are anybody's, and so is what a service does not name a publisher of.
  const isOwners = localPart(address.service) !== undefined && node !== undefined && isFeed(node)
  const isTheirs = (publisher: BareJid) =>
    domainOf(jid) === deps.siteDomain ? publisher === jid : domainOf(publisher) === domainOf(jid)
  return ({ publisher }: Item) => {
    if (publisher === undefined) return isOwners
    const by = readBareJid(publisher)
    return by !== undefined && !isTheirs(by)
  }
}

/**
 * Whether a session also gets the oldest items that came from neither its own domain nor that of the newest: two servers
 * that conspire know what one of them has published there, but nothing else.
 */
async function knowsOthers(
  { index, site, siteDomain }: ProofDeps,
  { jid, pubsub }: Pick<XmppSession, 'jid' | 'pubsub'>,
  { address, witness }: { readonly address: NodeAddress; readonly witness: Item },
): Promise<boolean> {
  // The site's own server does not lie.
  if (domainOf(jid) === siteDomain) return true
  const [node, by] = [await findNode(index, address), readBareJid(witness.publisher ?? '')]
  if (node === undefined || by === undefined || by === node.owner || by === address.service) return true
  const domains = [domainOf(jid), domainOf(by)]
  const ids = await listOldestOfOthers(index, node.id, { domains, limit: OLDEST })
  if (ids.length === 0) return true
  const their = await pubsub.findItems(address, ids)
  return (await site.pubsub.findItems(address, ids)).every((item) => isAmong(their, item))
}

function isAmong(items: readonly Item[], wanted: Item): boolean {
  return items.some((item) => writeItem(item) === writeItem(wanted))
}

async function readNewest(pubsub: Pick<Pubsub, 'listItems'>, address: NodeAddress): Promise<readonly Item[]> {
  const { items } = await pubsub.listItems(address, { max: NEWEST })
  return items.filter(({ payload }) => payload !== undefined)
}

/** The id and content, to be compared. */
function writeItem({ id, payload }: Item): string {
  return JSON.stringify([id, payload === undefined ? '' : writeSortedXml(payload)])
}
