import type { Element } from 'ltx'
import { asItemId, type ItemAddress, type ItemId, readXmppUri, writePlainXmppUri, writeXmppUri } from './address.ts'
import type { BareJid } from './jid.ts'
import { NS } from './ns.ts'
import { cleanText } from './text.ts'
import { childrenOf, createElement as el, textOf } from './xml.ts'

const FALLBACK = 'urn:xmpp:fallback:0'
const STANZA_ID = 'urn:xmpp:sid:0'
const MIX_MISC = 'urn:xmpp:mix:misc:0'
/** Characters of what is shown of one message. */
const LONGEST = 10_000
const LONGEST_ID = 200

/** What a message in a room says: all of it only a claim of whoever sent it. */
export interface RoomWords {
  /** Without what it quotes for clients that know no answers. */
  readonly text: string
  /** The message that it answers, by the channel's id (XEP-0461). */
  readonly answers?: ItemId
  /** The post that its thread is about, where the thread is one of ours. */
  readonly thread?: ItemAddress
  /** The message in whose place it comes (XEP-0308). */
  readonly replaces?: ItemId
  /** The message that it takes back (XEP-0424). */
  readonly retracts?: ItemId
  /** What its sender called it. */
  readonly originId?: string
  /** The Atom entry in it. */
  readonly entry?: Element
}

/** Reads a `<message/>` of a channel. */
export function readRoomWords(message: Element): RoomWords {
  const body = childrenOf(message, 'body', NS.CLIENT)[0]
  const thread = childrenOf(message, 'thread', NS.CLIENT)[0]
  const answers = idOf(message, 'reply', NS.REPLY)
  const replaces = idOf(message, 'replace', NS.CORRECT)
  const retracts = idOf(message, 'retract', NS.RETRACT) ?? idOf(message, 'retract', MIX_MISC)
  const originId = idOf(message, 'origin-id', STANZA_ID)
  const entry = childrenOf(message, 'entry', NS.ATOM)[0]
  const text = body === undefined ? '' : withoutFallback(message, textOf(body))
  const post = thread && readThread(textOf(thread))
  return {
    text: cleanText(text).trim().slice(0, LONGEST),
    ...(answers && { answers }),
    ...(post && { thread: post }),
    ...(replaces && { replaces }),
    ...(retracts && { retracts }),
    ...(originId && { originId }),
    ...(entry && { entry }),
  }
}

/** What goes into a message beside its body. */
export interface RoomParts {
  /** Found in the archive again, whoever else numbers it. */
  readonly originId: string
  readonly answers?: { readonly id: ItemId; readonly to: string }
  readonly replaces?: ItemId
  readonly retracts?: ItemId
  readonly entry?: Element
}

export function writeRoomParts({ originId, answers, replaces, retracts, entry }: RoomParts): Element[] {
  return [
    el('origin-id', { xmlns: STANZA_ID, id: originId }),
    ...(answers ? [el('reply', { xmlns: NS.REPLY, id: answers.id, to: answers.to })] : []),
    ...(replaces ? [el('replace', { xmlns: NS.CORRECT, id: replaces })] : []),
    ...(retracts ? [el('retract', { xmlns: NS.RETRACT, id: retracts })] : []),
    ...(entry ? [entry] : []),
  ]
}

/** The thread of everything in a room that is about one post. */
export function writeThread(post: ItemAddress): string {
  return writePlainXmppUri(post)
}

function readThread(text: string): ItemAddress | undefined {
  const address = text.length > 5_000 ? undefined : readXmppUri(text.trim())
  if (address?.node === undefined || address.item === undefined) return undefined
  return { service: address.service, node: address.node, item: address.item }
}

function idOf(message: Element, name: string, namespace: string): ItemId | undefined {
  const id: unknown = childrenOf(message, name, namespace)[0]?.attrs.id
  return typeof id === 'string' && id !== '' && id.length <= LONGEST_ID ? asItemId(id) : undefined
}

/** Leaves out what is there only for clients that know no answers (XEP-0428 §3), counted in code points. */
function withoutFallback(message: Element, text: string): string {
  const fallback = childrenOf(message, 'fallback', FALLBACK).find(({ attrs }) => attrs.for === NS.REPLY)
  const range = fallback && childrenOf(fallback, 'body', FALLBACK)[0]
  if (range === undefined) return text
  const [start, end] = [Number(range.attrs.start ?? 0), Number(range.attrs.end ?? 0)]
  const points = [...text]
  if (!(start >= 0 && end > start && end < points.length)) return text
  return [...points.slice(0, start), ...points.slice(end)].join('')
}

/** The address of a channel, for a client to join it. */
export function writeRoomUri(channel: BareJid): string {
  return `${writeXmppUri({ service: channel })}?join`
}
