import { createHash } from 'node:crypto'
import { addressKey, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'

/** Hexadecimal digits: 80 bits, so that nobody finds another post with the same. */
const DIGITS = 20

/**
 * How the node for the comments on a post is called. On a node that is not its author's own the name also says which post
 * it is for, as only who makes the node can: readers cannot tell by the post, whose service could write it itself.
 */
export function nameThread(author: BareJid, post: ItemAddress): string {
  const name = `${NS.COMMENTS_PREFIX}${post.item}`
  return post.service === author ? name : `${name}-${digestOf(post)}`
}

/** Whether a node was made for the comments on this very post: by its name, perhaps with a random suffix. */
export function isNamedFor(post: ItemAddress, { node }: NodeAddress): boolean {
  const name = `${NS.COMMENTS_PREFIX}${post.item}-${digestOf(post)}`
  return node === name || node.startsWith(`${name}-`)
}

function digestOf({ service, node, item }: ItemAddress): string {
  return createHash('sha256').update(addressKey({ service, node, item })).digest('hex').slice(0, DIGITS)
}
