import type { ItemAddress, NodeAddress } from '../address.ts'
import { readXmppUri } from '../address.ts'
import type { Entry } from '../entry.ts'
import { NS } from '../ns.ts'
import { readReactions } from '../reactions.ts'
import { BASE_CONFIG, type Profile } from './profile.ts'

/** What people attach to one post (XEP-0470): an item each, whose id is their bare JID; anybody may write. */
export const attachments: Profile = {
  name: 'attachments',
  // Only a post makes a node one of these: nobody follows it by itself.
  matchesNode: () => false,
  matchesPayload: () => false,
  config: { ...BASE_CONFIG, publish_model: 'open' },
  readEntry(payload): Entry | undefined {
    const reactions = readReactions(payload)
    if (reactions === undefined) return undefined
    const { emoji, at } = reactions
    return {
      ...{ title: '', isUntitled: true, excerpt: '', author: {}, tags: [], links: [], pictures: [], mentions: [] },
      ...{ reactions: emoji, published: at, updated: at },
    }
  },
  template: 'comment',
}

/** Where what is attached to an item is (XEP-0470 §4.1.1), written as Libervia does. */
export function attachmentsOf({ service, node, item }: ItemAddress): NodeAddress {
  return { service, node: `${attachmentsPrefix({ service, node })}${encode(item)}` }
}

/** What the names of all nodes of attachments to a feed begin with. */
export function attachmentsPrefix({ service, node }: NodeAddress): string {
  return `${NS.ATTACHMENTS_PREFIX}xmpp:${encode(service).replaceAll('%40', '@')}?;node=${encode(node)};item=`
}

/** The item to which the items of a node are attached; undefined where its name says another service, or none. */
export function readAttachmentsNode({ service, node }: NodeAddress): ItemAddress | undefined {
  if (!node.startsWith(NS.ATTACHMENTS_PREFIX)) return undefined
  const target = readXmppUri(node.slice(NS.ATTACHMENTS_PREFIX.length))
  if (target?.node === undefined || target.item === undefined || target.service !== service) return undefined
  return { service, node: target.node, item: target.item }
}

// As Python's quote_plus, but for the space: XEP-0060 §12.21 percent-encodes it.
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
