import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** Makes this process trust a certificate of ours beside those it already trusts. */
export function trustCertificate(certificate: string): void {
  setDefaultCACertificates([...getCACertificates('default'), certificate])
}
