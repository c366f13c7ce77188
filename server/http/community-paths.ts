import { type NodeAddress, readXmppUri, writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

/** The form that writes into a community. */
export function writePath({ service, node }: NodeAddress): string {
  return `/write?${new URLSearchParams({ to: writeXmppUri({ service, node }) })}`
}

/** Who may write in a community, for who owns it. */
export function peoplePath({ service, node }: NodeAddress): string {
  return `/communities/people?${new URLSearchParams({ of: writeXmppUri({ service, node }) })}`
}

/** Shuts somebody out, after a question. */
export function blockPath({ service, node }: NodeAddress, jid: BareJid): string {
  return `/communities/block?${new URLSearchParams({ of: writeXmppUri({ service, node }), jid })}`
}

/** The node in a query or a form. */
export function readNodeUri(uri: string | undefined): NodeAddress | undefined {
  const { service, node } = readXmppUri(uri ?? '') ?? {}
  return service === undefined || node === undefined ? undefined : { service, node }
}
