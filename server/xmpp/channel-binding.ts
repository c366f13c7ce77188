import { createHash, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { AppError } from '#server/errors.ts'
import type { ChannelBinding } from './scram.ts'

/**
 * The channel binding of a sign-in to `tls`: of the types that the server names (XEP-0440) the best that Canto knows;
 * where it names none, the type of the TLS version (RFC 9266 §2, RFC 5802 §6). Throws `unavailable` where no type fits:
 * a man in the middle could otherwise have us do without by naming types that nobody knows.
 */
export function bindChannel(tls: TLSSocket, named: readonly string[] = []): ChannelBinding {
  const known = listBindingTypes(tls)
  const type = named.length === 0 ? known[0] : known.find((name) => named.includes(name))
  const data = type && readBinding(tls, type)
  if (type !== undefined && data !== undefined) return { flag: 'p', type, data }
  const types = named.length === 0 ? '' : ` (${named.slice(0, 5).join(', ').slice(0, 100)})`
  throw new AppError(
    'unavailable',
    `The XMPP server binds sign-ins to the connection in no way that Canto knows${types}`,
  )
}

export type BindingType = 'tls-exporter' | 'tls-unique' | 'tls-server-end-point'

/** The types that Canto knows for the version of TLS, the best first. */
export function listBindingTypes(tls: TLSSocket): readonly [BindingType, BindingType] {
  return [tls.getProtocol() === 'TLSv1.3' ? 'tls-exporter' : 'tls-unique', 'tls-server-end-point']
}

export function readBinding(tls: TLSSocket, type: BindingType): Buffer | undefined {
  if (type === 'tls-exporter') return tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  return type === 'tls-unique' ? tls.getFinished() : hashCertificate(tls)
}

/** RFC 5929 §4.1: by the hash of the certificate's own signature, but by no older one than SHA-256. */
function hashCertificate(tls: TLSSocket): Buffer | undefined {
  const { raw } = tls.getPeerCertificate()
  const hash = /(?:SHA-?)(1|224|256|384|512)/i.exec(new X509Certificate(raw).signatureAlgorithm ?? '')?.[1]
  // A signature that has none, as Ed25519, is not spoken of there.
  if (hash === undefined) return undefined
  const name = hash === '1' ? 'sha256' : `sha${hash}`
  return createHash(name).update(raw).digest()
}
