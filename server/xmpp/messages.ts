import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { readJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { isWithinBounds } from '#shared/xml.ts'
import type { Message, OutgoingMessage } from './ports.ts'

const TYPES: readonly string[] = ['normal', 'chat', 'groupchat', 'headline', 'error']
/** Characters: more than anybody types. */
const LONGEST = 100_000

/** A message that is no event of a node; undefined where it is one, is out of bounds or from nobody. Never throws. */
export function readMessage(stanza: Element): Message | undefined {
  if (stanza.getName() !== 'message' || stanza.getChild('event', NS.PUBSUB_EVENT) || !isWithinBounds(stanza)) return
  const from = readJid(stanza.attrs.from ?? '')
  if (from === undefined) return undefined
  const { id, type: given = '' } = stanza.attrs
  const type = TYPES.includes(given) ? (given as Message['type']) : 'normal'
  const body = textOf(stanza, 'body')
  const thread = textOf(stanza, 'thread')
  return {
    type,
    ...(id && { id }),
    from: { bare: from.bare, ...(from.resource !== undefined && { resource: from.resource }) },
    ...(body !== undefined && { body }),
    ...(thread !== undefined && { thread }),
    payloads: stanza.getChildElements().filter((child) => !isOwn(child)),
  }
}

export function writeMessage({ to, type, id, body, thread, payloads = [] }: OutgoingMessage): Element {
  const stanza = new Element('message', { to, type, id: id ?? randomUUID() })
  if (body !== undefined) stanza.c('body').t(body)
  if (thread !== undefined) stanza.c('thread').t(thread)
  for (const payload of payloads) stanza.cnode(payload)
  return stanza
}

function textOf(stanza: Element, name: string): string | undefined {
  const child = stanza.getChildElements().find((each) => isOwn(each) && each.getName() === name)
  const text = child?.getText()
  return text === undefined || text.length > LONGEST ? undefined : text
}

/** Its own text, in the namespace of the stream. */
function isOwn(child: Element): boolean {
  return ['body', 'thread', 'subject'].includes(child.getName()) && child.getNS() === child.parent?.getNS()
}
