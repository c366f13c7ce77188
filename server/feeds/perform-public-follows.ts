import { isAppError } from '#server/errors.ts'
import { forgetShown, listFollows } from '#server/store/follow.ts'
import { publishesFollows } from '#server/store/reader.ts'
import type { NodeConfig, XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { type ListedSubscription, writePublicSubscription, writeSubscription } from '#shared/subscription-list.ts'
import { isConfigured } from './blog-node.ts'
import { LIST_CONFIG, type ListedItem, listItemId, readList, takeOff } from './follow-list.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'

const FOR_EVERYBODY: NodeConfig = { ...LIST_CONFIG, access_model: 'open', presence_based_delivery: '0' }
/** Movim's: what it holds is for contacts. */
const FOR_CONTACTS: NodeConfig = { ...LIST_CONFIG, access_model: 'presence' }

/** Makes the public lists on the person's account say what they follow, or nothing, as they chose. */
export async function performPublicFollows(
  deps: OutboxDeps,
  { session, row, begin }: Pick<Performance, 'session' | 'row' | 'begin'>,
): Promise<void> {
  await begin()
  const isPublic = await publishesFollows(deps.state, row.account)
  const follows = await listFollows(deps.state, row.account)
  if ((await session.readServices()).publicSubscriptions === true) {
    for (const { address, subscription } of follows) {
      if (subscription === 'subscribed') await session.pubsub.subscribeNode(address, { isPublic })
    }
    return
  }
  const everybodys = { service: row.account, node: NS.PUBLIC_SUBSCRIPTION_LIST }
  const contacts = { service: row.account, node: NS.SUBSCRIPTION_LIST }
  const wanted = isPublic ? follows : []
  // Entries that we take off the list now were not taken off it by another client.
  if (!isPublic) await forgetShown(deps.state, row.account)
  // Before they are read: one that is made may have items from before its server was killed (see follow-list.ts).
  if (wanted.length > 0) {
    await ensureList(session, contacts, FOR_CONTACTS)
    await ensureList(session, everybodys, FOR_EVERYBODY)
  }
  // The first list is ours alone, so it tells what we have put into Movim's too.
  const ours = (await readList(session.pubsub, everybodys))?.items ?? []
  const theirs = (await readList(session.pubsub, contacts))?.items ?? []
  const known = new Set([...ours, ...follows].map(({ address }) => addressKey(address)))
  const changes = { session, wanted }
  const isOurs = ({ address }: ListedItem) => known.has(addressKey(address))
  await update(contacts, { ...changes, listed: theirs.filter(isOurs), write: writeSubscription })
  await update(everybodys, { ...changes, listed: ours, write: writePublicSubscription })
}

interface Update {
  readonly session: XmppSession
  readonly wanted: readonly ListedSubscription[]
  /** Ours that are there now. */
  readonly listed: readonly ListedItem[]
  readonly write: (subscription: ListedSubscription) => ReturnType<typeof writeSubscription>
}

async function update(list: NodeAddress, { session, wanted, listed, write }: Update): Promise<void> {
  const { pubsub, jid } = session
  const keys = new Set(wanted.map(({ address }) => addressKey(address)))
  const there = new Set(listed.map(({ address }) => addressKey(address)))
  for (const { id, address } of listed) {
    if (!keys.has(addressKey(address))) await takeOff(pubsub, { ...list, item: id })
  }
  for (const subscription of wanted) {
    if (there.has(addressKey(subscription.address))) continue
    await pubsub.publishItem({ ...list, item: listItemId(jid, subscription.address) }, write(subscription))
  }
}

/** The checkbox is its owner's word that the public list is public; Movim's own list stays as it is. */
async function ensureList({ pubsub }: XmppSession, list: NodeAddress, config: NodeConfig): Promise<void> {
  const how = await pubsub.createNode(list, config)
  if (how === 'exists' && config === FOR_CONTACTS) return
  try {
    if (!isConfigured(await pubsub.readConfig(list), config)) await pubsub.configureNode(list, config)
  } catch (error) {
    if (!isAppError(error, 'not-implemented')) throw error
  }
}
