import { AppError } from '#server/errors.ts'
import { type ItemAddress, type NodeAddress, readXmppUri, writeXmppUri } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { readNodeUri } from './community-paths.ts'

/** `item-0` and so on: what was chosen; a form has 50 of them. */
const MOST = 60

export type ModerationFields = Readonly<Record<string, string | undefined>>

/** The comments that a form is about. */
export function readItems(fields: ModerationFields): ItemAddress[] {
  const uris = Object.entries(fields).filter(([name]) => /^item-\d+$/.test(name))
  return uris.slice(0, MOST).map(([, uri]) => requireItem(uri))
}

export function requireItem(uri: string | undefined): ItemAddress {
  const { service, node, item } = readXmppUri(uri ?? '') ?? {}
  if (service === undefined || node === undefined || item === undefined) throw wrong()
  return { service, node, item }
}

export function requireBlog(uri: string | undefined): NodeAddress {
  const address = readNodeUri(uri)
  if (address === undefined) throw wrong()
  return address
}

export function requireJid(text: string | undefined): BareJid {
  const jid = readBareJid(text ?? '')
  if (jid === undefined) throw wrong()
  return jid
}

/** The hidden fields of a form that does something with the same comments. */
export function writeItems(action: string, items: readonly ItemAddress[]): Record<string, string> {
  return { action, ...Object.fromEntries(items.map((address, n) => [`item-${n}`, writeXmppUri(address)])) }
}

function wrong(): AppError {
  return new AppError('bad-request', 'The request cannot be understood.')
}
