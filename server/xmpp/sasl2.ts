import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { ACKS, type Enabled, type Resume, readEnabled, readResumed, writeEnable, writeResume } from './acks.ts'
import { choosePasswordExchange, createTokenExchange, listTokenMechanisms } from './mechanisms.ts'
import type { Credentials, FastToken } from './ports.ts'
import { decode, encode, readOffer, readSaslFailure } from './sasl.ts'
import type { SaslExchange } from './scram.ts'
import type { Stream } from './stream.ts'

export const SASL2 = 'urn:xmpp:sasl:2'
const BIND2 = 'urn:xmpp:bind:0'
const FAST = 'urn:xmpp:fast:0'

export interface Sasl2Options {
  readonly username: string
  readonly credentials: Credentials
  readonly userAgentId: string
  /** Whether to ask for a token that signs in next time. */
  readonly wantsToken: boolean
  /** Has the server forget the token that signs in now (XEP-0484 §3.6). */
  readonly invalidates?: boolean
  /** The stream to go on with, if the server still knows it. */
  readonly resume?: Resume | undefined
}

export interface Sasl2Result {
  /** What came of the wish to resume, where it was uttered: the server's count, to be checked. */
  readonly resumed?: { readonly h: unknown } | 'refused'
  /** The full JID where a resource was bound in the same breath (XEP-0386). */
  readonly boundJid?: string
  /** How the new stream is managed, where it was bound. */
  readonly acks?: Enabled
  /** A new token, to be used from now on. */
  readonly token?: FastToken
  /** Whether the token given did not hold, and the password did. */
  readonly isTokenRefused: boolean
  readonly signIn: 'token' | 'password'
}

/**
 * Signs in by SASL2 (XEP-0388): with the token where there is one and it holds, else with the password. A token is used
 * by the mechanism for which it was issued and no other. Where a better one is at hand, as one that binds to the channel,
 * the password is used instead, or a token for the better one is asked for.
 */
export async function authenticate2(stream: Stream, features: Element, options: Sasl2Options): Promise<Sasl2Result> {
  const offered = features.getChild('authentication', SASL2)
  const inline = offered?.getChild('inline', SASL2)
  const { username, credentials, invalidates } = options
  const mechanisms = listTokenMechanisms(readOffer(stream, features, inline?.getChild('fast', FAST), FAST))
  const [best] = mechanisms
  const wanted = options.wantsToken && !invalidates ? best?.name : undefined
  const extras = describe(options, inline)
  const token = isValid(credentials.token) ? credentials.token : undefined
  const mechanism = mechanisms.find(({ name }) => name === token?.mechanism)
  if (token && mechanism && (mechanism === best || credentials.password === undefined)) {
    const isBetter = wanted !== undefined && wanted !== mechanism.name
    const fast = new Element('fast', { xmlns: FAST, ...(invalidates && { invalidate: 'true' }) })
    try {
      return await run(stream, createTokenExchange(username, token.token, mechanism), {
        extras: [...extras, fast, ...(isBetter ? [requestToken(wanted)] : [])],
        resume: options.resume,
        tokenMechanism: isBetter ? wanted : mechanism.name,
        signIn: 'token',
      })
    } catch (error) {
      if (!isAppError(error, 'not-authorized')) throw error
    }
  }
  if (credentials.password === undefined) throw new AppError('not-authorized', 'The sign-in has expired: sign in again')
  const offer = readOffer(stream, features, offered, SASL2)
  const result = await run(stream, choosePasswordExchange(offer, username, credentials.password), {
    extras: wanted === undefined ? extras : [...extras, requestToken(wanted)],
    resume: options.resume,
    tokenMechanism: wanted,
    signIn: 'password',
  })
  return { ...result, isTokenRefused: credentials.token !== undefined }
}

function requestToken(mechanism: string): Element {
  return new Element('request-token', { xmlns: FAST, mechanism })
}

function isValid(token: FastToken | undefined): token is FastToken {
  return token !== undefined && (token.expiry === undefined || !(Date.parse(token.expiry) <= Date.now()))
}

function describe({ userAgentId, invalidates, resume }: Sasl2Options, inline: Element | undefined): Element[] {
  const agent = new Element('user-agent', { id: userAgentId })
  agent.c('software').t('Canto')
  const bind = inline?.getChild('bind', BIND2)
  // Servers derive the resource from the user agent: a second one would end the session that is there.
  if (invalidates) return [agent]
  const mayResume = inline?.getChild('sm', ACKS) !== undefined
  const extras = resume !== undefined && mayResume ? [agent, writeResume(resume)] : [agent]
  // Once a resource is bound no stream can be resumed: where that is not asked in the same breath, it is asked first.
  if (bind === undefined || (resume !== undefined && !mayResume)) return extras
  const request = new Element('bind', { xmlns: BIND2 })
  request.c('tag').t('Canto')
  const features = bind.getChild('inline')?.getChildren('feature') ?? []
  if (features.some((feature) => feature.attrs.var === ACKS)) request.cnode(writeEnable())
  return [...extras, request]
}

interface Run {
  readonly extras: readonly Element[]
  readonly resume: Resume | undefined
  /** The mechanism for which a token that comes is issued. */
  readonly tokenMechanism: string | undefined
  readonly signIn: 'token' | 'password'
}

async function run(stream: Stream, exchange: SaslExchange, options: Run): Promise<Sasl2Result> {
  const request = new Element('authenticate', { xmlns: SASL2, mechanism: exchange.name })
  request.c('initial-response').t(encode(await exchange.first()))
  for (const extra of options.extras) request.cnode(extra)
  await stream.send(request)
  for (;;) {
    const answer = await stream.next()
    if (answer.is('failure', SASL2)) throw readSaslFailure(answer)
    if (answer.is('continue', SASL2)) {
      throw new AppError('unavailable', 'The XMPP server asks for a second step that Canto does not know')
    }
    if (answer.is('challenge', SASL2)) {
      const response = await exchange.respond(decode(answer) ?? Buffer.alloc(0))
      await stream.send(new Element('response', { xmlns: SASL2 }).t(response.toString('base64')))
    }
    if (answer.is('success', SASL2)) {
      exchange.finish(decode(answer.getChild('additional-data')))
      return readSuccess(answer, options)
    }
  }
}

function readSuccess(success: Element, { resume, tokenMechanism, signIn }: Run): Sasl2Result {
  const resumed = success.getChild('resumed', ACKS)
  const bound = success.getChild('bound', BIND2)
  const enabled = bound?.getChild('enabled', ACKS)
  const jid = success.getChild('authorization-identifier')?.getText()
  const token = success.getChild('token', FAST)?.attrs
  return {
    ...(resumed && resume && { resumed: { h: readResumed(resumed, resume) } }),
    ...(success.getChild('failed', ACKS) && { resumed: 'refused' as const }),
    ...(bound && jid?.includes('/') && { boundJid: jid }),
    ...(enabled && { acks: readEnabled(enabled) }),
    ...(token?.token &&
      tokenMechanism && {
        token: { token: token.token, mechanism: tokenMechanism, ...(token.expiry && { expiry: token.expiry }) },
      }),
    isTokenRefused: false,
    signIn,
  }
}
