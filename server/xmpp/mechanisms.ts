import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { AppError } from '#server/errors.ts'
import { type BindingType, bindChannel, listBindingTypes, readBinding } from './channel-binding.ts'
import { createScram, type SaslExchange } from './scram.ts'

const HASHES: readonly (readonly [string, string])[] = [
  ['SCRAM-SHA-512', 'sha512'],
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-1', 'sha1'],
]
/** Sign-ins with a token, by their channel binding. */
const TOKEN_MECHANISMS: Readonly<Record<BindingType, string>> = {
  'tls-exporter': 'HT-SHA-256-EXPR',
  'tls-unique': 'HT-SHA-256-UNIQ',
  'tls-server-end-point': 'HT-SHA-256-ENDP',
}
const UNBOUND = 'HT-SHA-256-NONE'

export interface Offer {
  readonly mechanisms: readonly string[]
  /** Types of channel binding the server names (XEP-0440); undefined where it names none. */
  readonly bindings?: readonly string[] | undefined
  readonly tls: TLSSocket | undefined
  readonly isSecure: boolean
}

/**
 * The strongest exchange both sides know, bound to the channel wherever the server offers that. PLAIN only under TLS.
 * Rejects with `unavailable` where there is none.
 */
export function choosePasswordExchange(offer: Offer, username: string, password: string): SaslExchange {
  const { tls, bindings } = offer
  const offered = new Set(offer.mechanisms)
  const bound = HASHES.find(([name]) => offered.has(`${name}-PLUS`))
  if (bound && tls) {
    const binding = bindChannel(tls, bindings)
    return createScram(`${bound[0]}-PLUS`, { username, password, hash: bound[1], binding })
  }
  const plain = HASHES.find(([name]) => offered.has(name))
  if (plain) {
    // Telling a server that offers none that we could: so a man in the middle cannot take the offer away unseen.
    const binding = { flag: tls ? 'y' : 'n' } as const
    return createScram(plain[0], { username, password, hash: plain[1], binding })
  }
  if (offered.has('PLAIN') && offer.isSecure) return createPlain(username, password)
  throw new AppError('unavailable', 'The XMPP server offers no safe way to sign in with a password')
}

function createPlain(username: string, password: string): SaslExchange {
  return {
    name: 'PLAIN',
    first: async () => Buffer.from(`\0${username}\0${password}`),
    respond: async () => Buffer.alloc(0),
    finish: () => {},
  }
}

/** A mechanism for tokens, with the binding to the channel that it needs. */
export interface TokenMechanism {
  readonly name: string
  readonly binding: Buffer
}

/**
 * The mechanisms for tokens that both sides know on this stream, the best first: those that bind to the channel, then the
 * one that does not. None without TLS.
 */
export function listTokenMechanisms({ mechanisms, bindings, tls, isSecure }: Offer): readonly TokenMechanism[] {
  const types = tls === undefined ? [] : listBindingTypes(tls).filter((type) => bindings?.includes(type) ?? true)
  const bound = types.flatMap((type) => {
    const isOffered = tls !== undefined && mechanisms.includes(TOKEN_MECHANISMS[type])
    const binding = isOffered ? readBinding(tls, type) : undefined
    return binding === undefined ? [] : [{ name: TOKEN_MECHANISMS[type], binding }]
  })
  const isUnbound = isSecure && mechanisms.includes(UNBOUND)
  return isUnbound ? [...bound, { name: UNBOUND, binding: Buffer.alloc(0) }] : bound
}

/** A token in place of a password (draft-schmaus-kitten-sasl-ht). */
export function createTokenExchange(username: string, token: string, mechanism: TokenMechanism): SaslExchange {
  const sign = (word: string) => createHmac('sha256', token).update(word).update(mechanism.binding).digest()
  return {
    name: mechanism.name,
    first: async () => Buffer.concat([Buffer.from(`${username}\0`), sign('Initiator')]),
    respond: async () => Buffer.alloc(0),
    finish(data) {
      const expected = sign('Responder')
      if (data?.length !== expected.length || !timingSafeEqual(data, expected)) {
        throw new AppError('unavailable', 'The XMPP server did not prove that it knows this account')
      }
    },
  }
}
