import { Element } from 'ltx'
import { asItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { Pubsub } from './ports.ts'

/** Publishes the account's nickname (XEP-0172), in the node that its contacts' clients read. */
export async function publishNickname(pubsub: Pubsub, jid: BareJid, name: string): Promise<void> {
  const payload = new Element('nick', { xmlns: NS.NICK }).t(name)
  await pubsub.publishItem({ service: jid, node: NS.NICK, item: asItemId('current') }, payload)
}
