import type { Element } from 'ltx'
import { AppError, type ErrorCode } from '#server/errors.ts'
import { NS } from '#shared/ns.ts'
import { detachText } from '#shared/text.ts'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

/** Every condition of RFC 6120 §8.3.3: our code for it, and what it says to a person. */
const CONDITIONS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  'bad-request': ['bad-request', 'did not understand the request'],
  conflict: ['conflict', 'says that it exists already'],
  'feature-not-implemented': ['not-implemented', 'cannot do this'],
  forbidden: ['forbidden', 'does not allow this'],
  gone: ['gone', 'says that it is gone'],
  'internal-server-error': ['unavailable', 'had an error of its own'],
  'item-not-found': ['not-found', 'knows no such node or item'],
  'jid-malformed': ['bad-request', 'does not accept the address'],
  'not-acceptable': ['bad-request', 'does not accept this'],
  'not-allowed': ['forbidden', 'does not allow this'],
  'not-authorized': ['forbidden', 'does not allow this'],
  'payment-required': ['forbidden', 'does not allow this'],
  'policy-violation': ['forbidden', 'refuses this by its policy'],
  'recipient-unavailable': ['unavailable', 'cannot be reached now'],
  redirect: ['gone', 'says that it has moved'],
  'registration-required': ['forbidden', 'does not allow this'],
  'remote-server-not-found': ['unavailable', 'cannot be found'],
  'remote-server-timeout': ['unavailable', 'cannot be reached now'],
  'resource-constraint': ['unavailable', 'has no room or time for this now'],
  'service-unavailable': ['not-implemented', 'does not offer this'],
  'subscription-required': ['forbidden', 'shows this only to contacts'],
  'undefined-condition': ['unavailable', 'had an error it did not name'],
  'unexpected-request': ['bad-request', 'did not expect the request'],
}

/** Those that another server says of the one that was asked. */
const SERVERS: Readonly<Record<string, 'not-found' | 'silent'>> = {
  'remote-server-not-found': 'not-found',
  'remote-server-timeout': 'silent',
}

/** What the server said, kept beside our translation for those who must tell one condition from another. */
export interface StanzaErrorDetail {
  readonly condition: string
  readonly text: string
  readonly type: string
  /** The condition of the protocol in question, as XEP-0060's `invalid-options`. */
  readonly application: string | undefined
}

const details = new WeakMap<Error, StanzaErrorDetail>()

/** The condition and words behind an AppError that came from a stanza. */
export function stanzaErrorOf(error: unknown): StanzaErrorDetail | undefined {
  return error instanceof Error ? details.get(error) : undefined
}

/** Translates the `<error/>` of `stanza`, which `who` sent, to ours. Never throws. */
export function readStanzaError(stanza: Element, who: string): AppError {
  const error = stanza.getChild('error')
  const children = error?.getChildElements() ?? []
  const defined = children.find((child) => child.getNS() === STANZAS && child.getName() !== 'text')
  const condition = defined?.getName() ?? 'undefined-condition'
  const words = directText(children.find((child) => child.getName() === 'text'))
  const text = detachText(words.slice(0, 500))
  const application = children.find((child) => child.getNS() !== STANZAS)?.getName()
  const detail = { condition, text, type: error?.attrs.type ?? 'cancel', application }
  const pubsubCondition = children.find((child) => child.getNS() === NS.PUBSUB_ERRORS)?.getName()
  const translated = translate(detail, who, pubsubCondition)
  details.set(translated, detail)
  return translated
}

function translate(detail: StanzaErrorDetail, who: string, pubsubCondition: string | undefined): AppError {
  const [code, words] = CONDITIONS[detail.condition] ?? CONDITIONS['undefined-condition'] ?? ['unavailable', 'failed']
  // XEP-0060 §7.1.3.3: the one not-acceptable that is about size.
  if (detail.application === 'payload-too-big') return new AppError('too-large', `${who} finds it too large`)
  // RFC 6120 §8.3.2: a `wait` asks to try again, whatever the condition.
  const lasting: ErrorCode = detail.type === 'wait' && code === 'not-implemented' ? 'unavailable' : code
  const message = detail.text === '' ? `${who} ${words}` : `${who} ${words}: ${detail.text}`
  return new AppError(lasting, message, { server: SERVERS[detail.condition], pubsubCondition })
}

// Not Element.getText(): nothing recursive may run on what a server sends.
function directText(element: Element | undefined): string {
  return element?.children.filter((child) => typeof child === 'string').join('') ?? ''
}

/** A fault in what a server sends; its message goes behind the server's name. */
export class ReadingError extends Error {}

/** Turns a stream error into ours. */
export function readStreamError(error: unknown, domain: string): AppError {
  if (error instanceof AppError) return error
  if (error instanceof ReadingError) {
    return new AppError('unavailable', `The XMPP server of ${domain} ${error.message}`, { cause: error })
  }
  const condition = (error as { condition?: string } | undefined)?.condition
  const words: Record<string, string> = {
    conflict: 'ended the session because another took its place',
    'host-unknown': `says that it does not serve ${domain}`,
    'policy-violation': 'ended the session by its policy',
    'connection-timeout': 'ended the session because it heard nothing',
    'system-shutdown': 'is shutting down',
    'resource-constraint': 'has no room for another session now',
  }
  if (condition !== undefined) {
    return new AppError(
      'unavailable',
      `The XMPP server of ${domain} ${words[condition] ?? `ended the session (${condition})`}`,
    )
  }
  return new AppError('unavailable', describeSocketError(error, domain), { cause: error })
}

// As in X509_V_ERR_… of OpenSSL, which Node names without that beginning, and in its own ERR_TLS_….
const CERTIFICATE = /CERT|SELF_SIGNED|VERIFY|ALTNAME/

/** Whether the server was there, but its certificate could not be trusted. */
export function isCertificateError(error: unknown): boolean {
  const { cause } = error instanceof AppError ? error : {}
  return CERTIFICATE.test((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}

function describeSocketError(error: unknown, domain: string): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
  const server = `The XMPP server of ${domain}`
  if (code === 'ECONNREFUSED') return `${server} refuses connections`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${server} cannot be found`
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `${server} cannot be reached`
  if (CERTIFICATE.test(code)) return `The certificate of ${domain} cannot be trusted (${code})`
  return `The connection to the XMPP server of ${domain} failed${code === '' ? '' : ` (${code})`}`
}
