import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '#server/errors.ts'

/** How a client binds its sign-in to the TLS channel (RFC 5802 §6): `n` cannot, `y` could but the server does not offer it. */
export type ChannelBinding =
  | { readonly flag: 'n' | 'y' }
  | { readonly flag: 'p'; readonly type: string; readonly data: Buffer }

/** One SASL exchange: the first message, the answers to challenges, and the check of the server's last word. */
export interface SaslExchange {
  readonly name: string
  first(): Promise<Buffer>
  respond(challenge: Buffer): Promise<Buffer>
  /** Throws where the server did not prove that it knows us. `data` is what came with its success. */
  finish(data: Buffer | undefined): void
}

export interface ScramOptions {
  readonly username: string
  readonly password: string
  /** As Node names it: `sha1`, `sha256`, `sha512`. */
  readonly hash: string
  readonly binding: ChannelBinding
  /** For tests. */
  readonly nonce?: string
}

const derive = promisify(pbkdf2)
/** The server chooses the count: enough for any, too little to keep a thread busy for minutes. */
const MAX_ITERATIONS = 1_000_000

/** SCRAM with any hash of Node's (RFC 5802, RFC 7677), without its time on our thread. */
export function createScram(name: string, options: ScramOptions): SaslExchange {
  const { binding, hash } = options
  const nonce = options.nonce ?? randomBytes(18).toString('base64')
  const header = binding.flag === 'p' ? `p=${binding.type},,` : `${binding.flag},,`
  const user = prepare(options.username).replaceAll('=', '=3D').replaceAll(',', '=2C')
  const firstBare = `n=${user},r=${nonce}`
  let expected: Buffer | undefined
  let isProved = false

  const verify = (data: Buffer) => {
    const signature = Buffer.from(readFields(data.toString()).get('v') ?? '', 'base64')
    isProved = expected !== undefined && signature.length === expected.length && timingSafeEqual(signature, expected)
    if (!isProved) throw new AppError('unavailable', 'The XMPP server did not prove that it knows this account')
  }

  async function prove(challenge: string): Promise<Buffer> {
    const fields = readFields(challenge)
    const iterations = Number(fields.get('i'))
    const serverNonce = fields.get('r') ?? ''
    const salt = Buffer.from(fields.get('s') ?? '', 'base64')
    const isSane = serverNonce.startsWith(nonce) && serverNonce.length > nonce.length && salt.length > 0
    if (!isSane || fields.has('m') || !Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
      throw new AppError('unavailable', 'The XMPP server sent a challenge that makes no sense')
    }
    const size = createHash(hash).digest().length
    const salted = await derive(prepare(options.password), salt, iterations, size, hash)
    const bound = Buffer.concat([Buffer.from(header), binding.flag === 'p' ? binding.data : Buffer.alloc(0)])
    const finalBare = `c=${bound.toString('base64')},r=${serverNonce}`
    const message = `${firstBare},${challenge},${finalBare}`
    const clientKey = hmac(hash, salted, 'Client Key')
    const signature = hmac(hash, createHash(hash).update(clientKey).digest(), message)
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))
    expected = hmac(hash, hmac(hash, salted, 'Server Key'), message)
    return Buffer.from(`${finalBare},p=${Buffer.from(proof).toString('base64')}`)
  }

  return {
    name,
    first: async () => Buffer.from(header + firstBare),
    async respond(challenge) {
      if (expected === undefined) return prove(challenge.toString())
      // RFC 6120 §6.4.5: a server may send its proof as one more challenge.
      verify(challenge)
      return Buffer.alloc(0)
    },
    finish(data) {
      if (data !== undefined && data.length > 0) verify(data)
      if (!isProved) throw new AppError('unavailable', 'The XMPP server did not prove that it knows this account')
    },
  }
}

function hmac(hash: string, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest()
}

// Near enough to SASLprep (RFC 4013) for what people type: other spaces become spaces, invisible marks go, NFKC.
function prepare(text: string): string {
  return text
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(/\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g, '')
    .normalize('NFKC')
}

function readFields(text: string): Map<string, string> {
  return new Map(text.split(',').map((field) => [field.slice(0, 1), field.slice(2)]))
}
