import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { ACKS, type Enabled, type Resume, readEnabled, readResumed, writeEnable, writeResume } from './acks.ts'
import type { Bound } from './conversation.ts'
import { readStanzaError } from './errors.ts'
import type { Credentials, FastToken } from './ports.ts'
import { authenticate } from './sasl.ts'
import { authenticate2, SASL2 } from './sasl2.ts'
import type { Stream } from './stream.ts'
import type { Target } from './targets.ts'

const TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
const LIMITS = 'urn:xmpp:stream-limits:0'
const CAPS = 'http://jabber.org/protocol/caps'
/** Characters of a hash and its name, which are kept with every session. */
const LONGEST_CAPS = 200

export interface SignIn {
  readonly jid: BareJid
  readonly credentials: Credentials
  readonly userAgentId: string
  readonly saveToken: ((token: FastToken | undefined) => void | Promise<void>) | undefined
  /** Has the token that signs in forgotten, and goes no further than that. */
  readonly invalidates?: boolean
  /** The stream that broke, to go on with. */
  readonly resume?: Resume | undefined
}

/** Either a new resource, or the server's word, to be checked, that the stream before goes on. */
export type Negotiated =
  | { readonly kind: 'resumed' /** The server's count. */; readonly h: unknown }
  | {
      readonly kind: 'bound'
      readonly bound: Bound
      readonly signIn: 'token' | 'password'
      /** What the server announces of its features (XEP-0115). */
      readonly caps: string | undefined
    }

/** From a connected socket to a stream that goes on: TLS, sign-in, resource and stream management, as the server offers them. */
export async function negotiate(stream: Stream, target: Target, signIn: SignIn): Promise<Negotiated> {
  const username = localPart(signIn.jid)
  if (username === undefined) throw new AppError('bad-request', `${signIn.jid} is not an address of an account`)
  const offered = await secure(stream, target, await readFeatures(stream))
  // COMPAT(Prosody 13): what it announces before SASL2 it does not say again.
  const limit = readLimit(offered)
  const { features, result } = await authenticateAs(stream, offered, { ...signIn, username })
  if (result?.resumed && result.resumed !== 'refused') return { kind: 'resumed', h: result.resumed.h }
  const end = (bound: Bound): Negotiated => ({
    kind: 'bound',
    bound: { ...bound, maxStanzaBytes: readLimit(features) ?? limit },
    signIn: result?.signIn ?? 'password',
    caps: readCaps(features),
  })
  if (signIn.invalidates) return end({ fullJid: signIn.jid })
  if (result?.boundJid !== undefined) return end({ fullJid: result.boundJid, acks: result.acks })
  if (signIn.resume && result?.resumed !== 'refused' && features.getChild('sm', ACKS)) {
    const resumed = await resume(stream, signIn.resume)
    if (resumed) return { kind: 'resumed', h: readResumed(resumed, signIn.resume) }
  }
  const fullJid = await bind(stream)
  return end({ fullJid, acks: await enableAcks(stream, features) })
}

/** Whether the server has said with this element that the sign-in is over: stanzas may follow right behind it. */
export function isSignedInBy(element: Element): boolean {
  if (element.is('resumed', ACKS) || element.is('success', SASL2)) return true
  return element.is('iq') && element.attrs.type === 'result' && element.getChild('bind', BIND) !== undefined
}

/** Signs in, and returns the features that the server has for who has. */
async function authenticateAs(stream: Stream, offered: Element, signIn: SignIn & { readonly username: string }) {
  if (offered.getChild('authentication', SASL2)) {
    const result = await authenticate2(stream, offered, { ...signIn, wantsToken: signIn.saveToken !== undefined })
    if (result.token) await signIn.saveToken?.(result.token)
    else if (result.isTokenRefused) await signIn.saveToken?.(undefined)
    // A stream that is resumed goes on without new features (XEP-0198 §9.2).
    const isOver = signIn.invalidates || (result.resumed && result.resumed !== 'refused')
    return { features: isOver ? offered : await nextFeatures(stream), result }
  }
  const { password } = signIn.credentials
  if (password === undefined) throw new AppError('not-authorized', 'The sign-in has expired: sign in again')
  await authenticate(stream, offered, signIn.username, password)
  return { features: await readFeatures(stream), result: undefined }
}

async function secure(stream: Stream, target: Target, features: Element): Promise<Element> {
  if (stream.isSecure) return features
  if (features.getChild('starttls', TLS)) {
    await stream.send(new Element('starttls', { xmlns: TLS }))
    const answer = await stream.next()
    if (!answer.is('proceed', TLS)) throw new AppError('unavailable', `${stream.domain} refuses to begin TLS`)
    await stream.startTls()
    return readFeatures(stream)
  }
  if (!target.mayBePlain) throw new AppError('unavailable', `The XMPP server of ${stream.domain} offers no encryption`)
  return features
}

async function readFeatures(stream: Stream): Promise<Element> {
  const features = await stream.open()
  if (features.getName() !== 'features') throw new AppError('unavailable', `${stream.domain} is not an XMPP server`)
  return features
}

// After SASL2 the stream goes on; its new features follow the success.
async function nextFeatures(stream: Stream): Promise<Element> {
  for (;;) {
    const element = await stream.next()
    if (element.getName() === 'features') return element
  }
}

async function bind(stream: Stream): Promise<string> {
  const id = randomUUID()
  const request = new Element('iq', { type: 'set', id })
  request.c('bind', { xmlns: BIND })
  await stream.send(request)
  for (;;) {
    const answer = await stream.next()
    if (answer.getName() !== 'iq' || answer.attrs.id !== id) continue
    if (answer.attrs.type === 'error') throw readStanzaError(answer, stream.domain)
    const jid = answer.getChild('bind', BIND)?.getChild('jid')?.getText()
    if (!jid) throw new AppError('unavailable', `The XMPP server of ${stream.domain} bound no resource`)
    return jid
  }
}

/** Undefined where the server does not know the stream any more: then a resource is bound on this one. */
async function resume(stream: Stream, wanted: Resume): Promise<Element | undefined> {
  await stream.send(writeResume(wanted))
  for (;;) {
    const answer = await stream.next()
    if (answer.is('resumed', ACKS)) return answer
    if (answer.is('failed', ACKS)) return undefined
  }
}

async function enableAcks(stream: Stream, features: Element): Promise<Enabled | undefined> {
  if (!features.getChild('sm', ACKS)) return undefined
  await stream.send(writeEnable())
  for (;;) {
    const answer = await stream.next()
    if (answer.is('enabled', ACKS)) return readEnabled(answer)
    if (answer.is('failed', ACKS)) return undefined
  }
}

function readCaps(features: Element): string | undefined {
  const { hash, ver } = features.getChild('c', CAPS)?.attrs ?? {}
  return hash && ver && hash.length + ver.length <= LONGEST_CAPS ? `${hash} ${ver}` : undefined
}

function readLimit(features: Element): number | undefined {
  const bytes = Number(features.getChild('limits', LIMITS)?.getChild('max-bytes')?.getText())
  return Number.isInteger(bytes) && bytes > 0 ? bytes : undefined
}
