import type { Socket } from 'node:net'
import { connect, rootCertificates, type TLSSocket } from 'node:tls'
import { asciiDomain, type BareJid } from '#shared/jid.ts'

/** Begins TLS on a connected socket. The certificate must be one of the account's domain, whatever host that is (RFC 6120 §13.7.2). */
export function beginTls(socket: Socket, domain: BareJid, isDirect: boolean): TLSSocket {
  const name = asciiDomain(domain)
  const isAddress = /^[\d.]+$|^\[/.test(name)
  return connect({
    socket,
    // Node takes no address for a server's name.
    ...(isAddress ? { host: name.replace(/^\[|\]$/g, '') } : { servername: name }),
    ...(isDirect && { ALPNProtocols: ['xmpp-client'] }),
  })
}

/** Whether who vouches for the other side is known to everybody, and not only to this machine. */
export function hasPublicRoot(tls: TLSSocket): boolean {
  let certificate = tls.getPeerCertificate(true)
  for (let depth = 0; depth < 10 && certificate.issuerCertificate !== certificate; depth++) {
    if (!certificate.issuerCertificate) break
    certificate = certificate.issuerCertificate
  }
  const encoded = certificate.raw?.toString('base64') ?? ''
  return rootCertificates.some((root) => root.replace(/-----[A-Z ]+-----|\s/g, '') === encoded)
}
