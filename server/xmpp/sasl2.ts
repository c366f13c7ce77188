import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { ACKS } from './acks.ts'
import { choosePasswordExchange, createTokenExchange, TOKEN_MECHANISM } from './mechanisms.ts'
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
}

export interface Sasl2Result {
  /** The full JID where a resource was bound in the same breath (XEP-0386). */
  readonly boundJid?: string
  readonly hasAcks: boolean
  /** A new token, to be used from now on. */
  readonly token?: FastToken
  /** Whether the token given did not hold, and the password did. */
  readonly isTokenRefused: boolean
}

/** Signs in by SASL2 (XEP-0388): with the token where there is one and it holds, else with the password. */
export async function authenticate2(stream: Stream, features: Element, options: Sasl2Options): Promise<Sasl2Result> {
  const offered = features.getChild('authentication', SASL2)
  const inline = offered?.getChild('inline', SASL2)
  const { username, credentials } = options
  const mayUseTokens = stream.isSecure && offersTokens(inline)
  const token = mayUseTokens && isUsable(credentials.token) ? credentials.token : undefined
  if (token !== undefined) {
    try {
      const fast = new Element('fast', { xmlns: FAST, ...(options.invalidates && { invalidate: 'true' }) })
      const exchange = createTokenExchange(username, token.token)
      return await run(stream, exchange, [...describe(options, inline), fast])
    } catch (error) {
      if (!isAppError(error, 'not-authorized')) throw error
    }
  }
  if (credentials.password === undefined) throw new AppError('not-authorized', 'The sign-in has expired: sign in again')
  const offer = readOffer(stream, features, offered, SASL2)
  const exchange = choosePasswordExchange(offer, username, credentials.password)
  const extras = describe(options, inline)
  if (mayUseTokens && options.wantsToken) {
    extras.push(new Element('request-token', { xmlns: FAST, mechanism: TOKEN_MECHANISM }))
  }
  const result = await run(stream, exchange, extras)
  return { ...result, isTokenRefused: credentials.token !== undefined }
}

function offersTokens(inline: Element | undefined): boolean {
  const fast = inline?.getChild('fast', FAST)
  return fast?.getChildren('mechanism').some((child) => child.getText() === TOKEN_MECHANISM) ?? false
}

function isUsable(token: FastToken | undefined): token is FastToken {
  if (token?.mechanism !== TOKEN_MECHANISM) return false
  return token.expiry === undefined || !(Date.parse(token.expiry) <= Date.now())
}

function describe({ userAgentId, invalidates }: Sasl2Options, inline: Element | undefined): Element[] {
  const agent = new Element('user-agent', { id: userAgentId })
  agent.c('software').t('Canto')
  const bind = inline?.getChild('bind', BIND2)
  // Servers derive the resource from the user agent: a second one would end the session that is there.
  if (bind === undefined || invalidates) return [agent]
  const request = new Element('bind', { xmlns: BIND2 })
  request.c('tag').t('Canto')
  const features = bind.getChild('inline')?.getChildren('feature') ?? []
  // Without `resume`: see acks.ts.
  if (features.some((feature) => feature.attrs.var === ACKS)) request.c('enable', { xmlns: ACKS })
  return [agent, request]
}

async function run(stream: Stream, exchange: SaslExchange, extras: readonly Element[]): Promise<Sasl2Result> {
  const request = new Element('authenticate', { xmlns: SASL2, mechanism: exchange.name })
  request.c('initial-response').t(encode(await exchange.first()))
  for (const extra of extras) request.cnode(extra)
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
      return readSuccess(answer)
    }
  }
}

function readSuccess(success: Element): Sasl2Result {
  const bound = success.getChild('bound', BIND2)
  const jid = success.getChild('authorization-identifier')?.getText()
  const token = success.getChild('token', FAST)?.attrs
  return {
    ...(bound && jid?.includes('/') && { boundJid: jid }),
    hasAcks: bound?.getChild('enabled', ACKS) !== undefined,
    ...(token?.token && {
      token: { token: token.token, mechanism: TOKEN_MECHANISM, ...(token.expiry && { expiry: token.expiry }) },
    }),
    isTokenRefused: false,
  }
}
