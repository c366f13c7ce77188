import { isAppError } from '#server/errors.ts'
import { findCommunity } from '#server/store/community.ts'
import type { StateDb } from '#server/store/database.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { attachments, attachmentsOf } from '#shared/profiles/index.ts'
import { isConfigured } from '../blog-node.ts'

export type AttachmentsSession = Pick<XmppSession, 'jid' | 'pubsub' | 'disco'>

const makers = new WeakMap<AttachmentsSession, Map<BareJid, boolean>>()

/** Whether a service makes the nodes of attachments by itself, and lets nobody else (XEP-0470 §4.4). */
export async function makesAttachments(session: AttachmentsSession, service: BareJid): Promise<boolean> {
  const known = makers.get(session) ?? new Map<BareJid, boolean>()
  makers.set(session, known)
  const answer = known.get(service) ?? (await readFeature(session, service))
  known.set(service, answer)
  return answer
}

/** An account tells strangers nothing about itself. */
async function readFeature({ disco }: AttachmentsSession, service: BareJid): Promise<boolean> {
  try {
    return (await disco.readInfo(service)).features.has(NS.ATTACHMENTS)
  } catch (error) {
    if (!isAppError(error)) throw error
    return false
  }
}

/** Whether the node of a post's attachments is ours to make: on the account's own blog, and in communities made here. */
export async function mayMakeAttachments(
  state: StateDb,
  account: BareJid,
  { service, node }: ItemAddress,
): Promise<boolean> {
  return service === account || (await findCommunity(state, { service, node })) !== undefined
}

/** Makes the node of what is attached to a post. False where it cannot be had: the post goes without. */
export async function createAttachmentsNode(session: AttachmentsSession, post: ItemAddress): Promise<boolean> {
  const address = attachmentsOf(post)
  try {
    if (await makesAttachments(session, post.service)) return true
    if ((await session.pubsub.createNode(address, attachments.config)) === 'created') return true
    const real = await session.pubsub.readConfig(address)
    const config = isConfigured(real, attachments.config)
      ? real
      : await session.pubsub.configureNode(address, attachments.config)
    return isConfigured(config, { access_model: 'open', publish_model: 'open' })
  } catch (error) {
    if (!isAppError(error)) throw error
    return false
  }
}

/** Takes the node away with its post; one that is not ours stays. */
export async function deleteAttachmentsNode(session: AttachmentsSession, post: ItemAddress): Promise<void> {
  try {
    await session.pubsub.deleteNode(attachmentsOf(post))
  } catch (error) {
    if (!isAppError(error)) throw error
  }
}
