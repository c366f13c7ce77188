import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'

/** The blog's address of an account. */
export function blogOf(jid: BareJid): NodeAddress {
  return { service: jid, node: NS.MICROBLOG }
}
