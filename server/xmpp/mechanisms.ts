import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { AppError } from '#server/errors.ts'
import { bindChannel } from './channel-binding.ts'
import { createScram, type SaslExchange } from './scram.ts'

const HASHES: readonly (readonly [string, string])[] = [
  ['SCRAM-SHA-512', 'sha512'],
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-1', 'sha1'],
]
export const TOKEN_MECHANISM = 'HT-SHA-256-NONE'

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

/** A token in place of a password (draft-schmaus-kitten-sasl-ht). */
export function createTokenExchange(username: string, token: string): SaslExchange {
  const sign = (word: string) => createHmac('sha256', token).update(word).digest()
  return {
    name: TOKEN_MECHANISM,
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
