import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { ACKS } from './acks.ts'
import { readStanzaError } from './errors.ts'
import type { Credentials, FastToken } from './ports.ts'
import { authenticate } from './sasl.ts'
import { authenticate2, SASL2 } from './sasl2.ts'
import type { Stream } from './stream.ts'
import type { Target } from './targets.ts'

const TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
const LIMITS = 'urn:xmpp:stream-limits:0'

export interface SignIn {
  readonly jid: BareJid
  readonly credentials: Credentials
  readonly userAgentId: string
  readonly saveToken: ((token: FastToken | undefined) => void | Promise<void>) | undefined
  /** Has the token that signs in forgotten, and goes no further than that. */
  readonly invalidates?: boolean
}

export interface Bound {
  readonly fullJid: string
  readonly hasAcks: boolean
  readonly maxStanzaBytes: number | undefined
}

/** From a connected socket to a bound resource: TLS, sign-in, resource and stream management, as the server offers them. */
export async function negotiate(stream: Stream, target: Target, signIn: SignIn): Promise<Bound> {
  const username = localPart(signIn.jid)
  if (username === undefined) throw new AppError('bad-request', `${signIn.jid} is not an address of an account`)
  let features = await secure(stream, target, await readFeatures(stream))
  // COMPAT(Prosody 13): what it announces before SASL2 it does not say again.
  const limit = readLimit(features)
  if (features.getChild('authentication', SASL2)) {
    const wantsToken = signIn.saveToken !== undefined
    const result = await authenticate2(stream, features, { ...signIn, username, wantsToken })
    if (result.token) await signIn.saveToken?.(result.token)
    else if (result.isTokenRefused) await signIn.saveToken?.(undefined)
    if (signIn.invalidates) return { fullJid: signIn.jid, hasAcks: false, maxStanzaBytes: undefined }
    features = await nextFeatures(stream)
    if (result.boundJid !== undefined) {
      return { fullJid: result.boundJid, hasAcks: result.hasAcks, maxStanzaBytes: readLimit(features) ?? limit }
    }
  } else {
    const { password } = signIn.credentials
    if (password === undefined) throw new AppError('not-authorized', 'The sign-in has expired: sign in again')
    await authenticate(stream, features, username, password)
    features = await readFeatures(stream)
  }
  const fullJid = await bind(stream)
  return { fullJid, hasAcks: await enableAcks(stream, features), maxStanzaBytes: readLimit(features) ?? limit }
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

async function enableAcks(stream: Stream, features: Element): Promise<boolean> {
  if (!features.getChild('sm', ACKS)) return false
  await stream.send(new Element('enable', { xmlns: ACKS }))
  for (;;) {
    const answer = await stream.next()
    if (answer.is('enabled', ACKS)) return true
    if (answer.is('failed', ACKS)) return false
  }
}

function readLimit(features: Element): number | undefined {
  const bytes = Number(features.getChild('limits', LIMITS)?.getChild('max-bytes')?.getText())
  return Number.isInteger(bytes) && bytes > 0 ? bytes : undefined
}
