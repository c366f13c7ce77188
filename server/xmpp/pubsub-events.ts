import type { Element } from 'ltx'
import { asItemId, readXmppUri, writeXmppUri } from '#shared/address.ts'
import { type BareJid, readJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { isWithinBounds } from '#shared/xml.ts'
import { readConfigFields } from './node-config.ts'
import type { Item, PubsubEvent } from './ports.ts'

/** An item as services write it in events and answers: undefined without an id, without payload where that is out of bounds. */
export function readItem(element: Element): Item | undefined {
  const { id, publisher } = element.attrs
  if (id === undefined || id === '') return undefined
  const found = element.getChildElements()[0]
  const payload = found && isWithinBounds(found) ? found : undefined
  // The payload stands for itself from here on: it must not take its language or namespace from the stanza, nor keep
  // the whole answer in memory.
  if (payload) detach(payload)
  return { id: asItemId(id), ...(payload && { payload }), ...(publisher && { publisher }) }
}

function detach(payload: Element): void {
  const namespace = payload.getNS()
  const prefix = payload.name.includes(':') ? payload.name.slice(0, payload.name.indexOf(':')) : undefined
  const attribute = prefix === undefined ? 'xmlns' : `xmlns:${prefix}`
  if (namespace !== undefined && prefix !== 'xml') payload.attrs[attribute] ??= namespace
  payload.parent = null
}

/** The events in a message (XEP-0060 §12.3): none where it has none, is an error, or makes no sense. Never throws. */
export function readPubsubEvents(stanza: Element): PubsubEvent[] {
  if (stanza.getName() !== 'message' || stanza.attrs.type === 'error') return []
  const from = readJid(stanza.attrs.from ?? '')
  // A service speaks by its bare address. With a resource it is a client, which can write there whatever it wants.
  if (from === undefined || from.resource !== undefined) return []
  const service = from.bare
  return stanza
    .getChildren('event', NS.PUBSUB_EVENT)
    .flatMap((event) => event.getChildElements().flatMap((child) => readChild(service, child)))
}

function readChild(service: BareJid, element: Element): PubsubEvent[] {
  const { node } = element.attrs
  if (node === undefined || node === '') return []
  const address = { service, node }
  switch (element.getName()) {
    case 'items':
      return element.getChildElements().flatMap((child) => readItemEvent(service, node, child))
    case 'purge':
      return [{ kind: 'purged', address }]
    case 'configuration':
      return [{ kind: 'configured', address, config: readConfigFields(element) }]
    case 'delete': {
      const target = readXmppUri(element.getChild('redirect')?.attrs.uri ?? '')
      return [{ kind: 'deleted', address, ...(target && { redirect: writeXmppUri(target) }) }]
    }
    case 'subscription':
      return [{ kind: 'subscription', address, state: element.attrs.subscription ?? 'none' }]
    default:
      return []
  }
}

function readItemEvent(service: BareJid, node: string, element: Element): PubsubEvent[] {
  if (element.getName() === 'retract' && element.attrs.id) {
    return [{ kind: 'retracted', address: { service, node, item: asItemId(element.attrs.id) } }]
  }
  const item = element.getName() === 'item' ? readItem(element) : undefined
  if (item === undefined) return []
  const address = { service, node, item: item.id }
  // Some nodes notify without payload: then the event carries only the id.
  return [item.payload === undefined ? { kind: 'published', address } : { kind: 'published', address, item }]
}
