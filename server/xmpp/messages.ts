import { randomUUID } from 'node:crypto'
import type { Element } from 'ltx'
import { readJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { createElement, isWithinBounds } from '#shared/xml.ts'
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
  return createElement(
    'message',
    { to, type, id: id ?? randomUUID() },
    body === undefined ? undefined : createElement('body', {}, body),
    thread === undefined ? undefined : createElement('thread', {}, thread),
    ...payloads,
  )
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
