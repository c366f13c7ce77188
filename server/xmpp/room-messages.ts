import type { Element } from 'ltx'
import { readBareJid, readJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { cleanLine } from '#shared/text.ts'
import { cloneXml, createElement, isWithinBounds } from '#shared/xml.ts'
import type { Participant, RoomMessage } from './ports.ts'

/** Characters. */
const LONGEST_ID = 200
const LONGEST_NICK = 100
/** COMPAT(ejabberd 24.12): what it stamps is in the old namespace. */
const MIX_OLD = 'urn:xmpp:mix:core:0'

/**
 * A message of a channel (XEP-0369 §7.1.5), live or forwarded from its archive. Undefined where it is none, is out of
 * bounds or from nobody in particular; never throws. Only the resource of `from` says who spoke: whatever else is in
 * it, its sender may have put there.
 */
export function readRoomMessage(stanza: Element, stamp?: string): RoomMessage | undefined {
  if (stanza.getName() !== 'message' || stanza.attrs.type !== 'groupchat' || !isWithinBounds(stanza)) return undefined
  const from = readJid(stanza.attrs.from ?? '')
  const { id } = stanza.attrs
  if (from?.resource === undefined || !isId(from.resource) || !isId(id)) return undefined
  const at = readDate(stamp) ?? readTimeOf(id) ?? new Date()
  const children = stanza.getChildElements()
  // Its own comes after all that the sender put there.
  const stamped = children.findLast((child) => isMix(child))
  const submissionId = childText(stamped, 'submission-id')
  const payload = createElement(
    'message',
    { xmlns: NS.CLIENT, type: 'groupchat', id, from: `${from.bare}/${from.resource}` },
    ...children.filter((child) => !isMix(child) && child.getNS() !== NS.DELAY).map((child) => cloneXml(child)),
    createElement('delay', { xmlns: NS.DELAY, stamp: at.toISOString() }),
  )
  return {
    channel: from.bare,
    id,
    participant: from.resource,
    at,
    payload,
    ...(submissionId !== undefined && { submissionId }),
    ...readStamp(stamped),
  }
}

/** Whom an item of the channel's participants node names; both ways to write it are in use. */
export function readParticipant(id: string, payload: Element | undefined): Participant | undefined {
  if (!isId(id) || payload?.getName() !== 'participant') return undefined
  const jid = readBareJid(payload.attrs.jid ?? childText(payload, 'jid') ?? '')
  const nick = cleanNick(payload.attrs.nick ?? childText(payload, 'nick'))
  return { id, ...(jid && { jid }), ...(nick && { nick }) }
}

function readStamp(mix: Element | undefined): Pick<RoomMessage, 'stamped'> {
  if (mix === undefined) return {}
  const jid = readBareJid(childText(mix, 'jid') ?? '')
  const nick = cleanNick(childText(mix, 'nick'))
  return { stamped: { ...(jid && { jid }), ...(nick && { nick }) } }
}

function isMix(child: Element): boolean {
  return child.getName() === 'mix' && (child.getNS() === NS.MIX_CORE || child.getNS() === MIX_OLD)
}

function childText(parent: Element | undefined, name: string): string | undefined {
  const child = parent?.getChildElements().find((each) => each.getName() === name)
  return child?.children.filter((each) => typeof each === 'string').join('')
}

function cleanNick(nick: string | undefined): string | undefined {
  return cleanLine(nick ?? '', LONGEST_NICK) || undefined
}

function isId(id: string | undefined): id is string {
  return id !== undefined && id !== '' && id.length <= LONGEST_ID
}

function readDate(stamp: string | undefined): Date | undefined {
  const date = new Date(stamp ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date
}

// COMPAT(ejabberd 24.12): a live message has no date, but its id is the microsecond that its archive gives for it.
function readTimeOf(id: string): Date | undefined {
  const date = /^\d{16}$/.test(id) ? new Date(Math.floor(Number(id) / 1000)) : undefined
  return date !== undefined && Math.abs(date.getTime() - Date.now()) < 86_400_000 ? date : undefined
}
