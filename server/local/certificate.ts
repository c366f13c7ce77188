import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'

const YEARS = 10
const RENEW_BEFORE_MS = 30 * 86_400_000

export interface Identity {
  readonly certificate: string
  readonly key: string
}

/**
 * A self-signed certificate (RFC 5280, ECDSA P-256) for a domain and the services under it, with 127.0.0.1. Written out
 * here because openssl may be missing and Node can read certificates but not make them.
 */
export function createIdentity(domain: string, now: Date): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid('550403'), string(0x0c, domain))))
  const until = new Date(now)
  until.setUTCFullYear(until.getUTCFullYear() + YEARS)
  const algorithm = sequence(oid('2a8648ce3d040302'))
  const body = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(new Date(now.getTime() - 86_400_000)), time(until)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...writeExtensions(domain))),
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, algorithm, der(0x03, Buffer.of(0), signature))
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Whether a PEM file with certificate and key still serves `domain`. */
export function isUsableIdentity(text: string, domain: string, now: Date): boolean {
  try {
    const certificate = new X509Certificate(text)
    const isFresh = certificate.validToDate.getTime() - now.getTime() > RENEW_BEFORE_MS
    return isFresh && certificate.checkHost(domain) !== undefined && certificate.checkPrivateKey(createPrivateKey(text))
  } catch {
    return false
  }
}

/** May sign (itself: basicConstraints CA), is for servers, and has the names that clients compare. */
function writeExtensions(domain: string): Buffer[] {
  const isTrue = der(0x01, Buffer.of(0xff))
  const names = [string(0x82, domain), string(0x82, `*.${domain}`), der(0x87, Buffer.of(127, 0, 0, 1))]
  return [
    sequence(oid('551d13'), isTrue, der(0x04, sequence(isTrue))),
    sequence(oid('551d25'), der(0x04, sequence(oid('2b06010505070301')))),
    sequence(oid('551d11'), der(0x04, sequence(...names))),
  ]
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const size = length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff)
  return Buffer.concat([Buffer.of(tag), size, content])
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts)
}

function set(...parts: Buffer[]): Buffer {
  return der(0x31, ...parts)
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function string(tag: number, text: string): Buffer {
  return der(tag, Buffer.from(text))
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050 ? string(0x17, digits.slice(2)) : string(0x18, digits)
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
