import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { choosePasswordExchange } from './mechanisms.ts'
import type { SaslExchange } from './scram.ts'
import type { Stream } from './stream.ts'

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0'

/** Conditions that no later attempt with the same credentials will mend (RFC 6120 §6.5). */
const FINAL_CONDITIONS = new Set([
  'account-disabled',
  'credentials-expired',
  'invalid-authzid',
  'malformed-request',
  'not-authorized',
])

/** Signs in with a password the old way (RFC 6120 §6). The stream must be opened again afterwards. */
export async function authenticate(stream: Stream, features: Element, username: string, password: string) {
  const offered = features.getChild('mechanisms', SASL)
  const exchange = choosePasswordExchange(readOffer(stream, features, offered, SASL), username, password)
  const first = await exchange.first()
  await stream.send(new Element('auth', { xmlns: SASL, mechanism: exchange.name }).t(encode(first)))
  for (;;) {
    const answer = await stream.next()
    if (answer.is('success', SASL)) return exchange.finish(decode(answer))
    if (answer.is('failure', SASL)) throw readSaslFailure(answer)
    if (answer.is('challenge', SASL)) await respond(stream, exchange, answer)
  }
}

async function respond(stream: Stream, exchange: SaslExchange, challenge: Element): Promise<void> {
  const response = await exchange.respond(decode(challenge) ?? Buffer.alloc(0))
  await stream.send(new Element('response', { xmlns: SASL }).t(response.toString('base64')))
}

/** What the server offers in `mechanisms`, an element with `<mechanism/>` children of namespace `ns`. */
export function readOffer(stream: Stream, features: Element, mechanisms: Element | undefined, ns: string) {
  const bindings = features.getChild('sasl-channel-binding', CHANNEL_BINDING)
  return {
    mechanisms: mechanisms?.getChildren('mechanism', ns).map((child) => child.getText()) ?? [],
    bindings: bindings?.getChildren('channel-binding').map((child) => String(child.attrs.type)),
    tls: stream.tls,
    isSecure: stream.isSecure,
  }
}

/** A refusal that repeating will not change is `not-authorized`; anything else `unavailable`. */
export function readSaslFailure(failure: Element): AppError {
  const condition =
    failure
      .getChildElements()
      .find((child) => child.getName() !== 'text')
      ?.getName() ?? ''
  if (condition === 'account-disabled')
    return new AppError('not-authorized', 'The account is disabled at its XMPP server')
  if (FINAL_CONDITIONS.has(condition)) {
    return new AppError('not-authorized', 'The XMPP server does not accept this address with this password')
  }
  return new AppError('unavailable', `The XMPP server cannot sign anybody in now (${condition || 'no reason given'})`)
}

/** SASL writes an empty message as `=` (RFC 6120 §6.4.2). */
export function encode(data: Buffer): string {
  return data.length === 0 ? '=' : data.toString('base64')
}

export function decode(element: Element | undefined): Buffer | undefined {
  const text = element?.getText() ?? ''
  if (text === '') return undefined
  return text === '=' ? Buffer.alloc(0) : Buffer.from(text, 'base64')
}
