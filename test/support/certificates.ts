import { X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createIdentity } from '#server/local/certificate.ts'

export interface CertificateFiles {
  readonly certificate: string
  readonly certificateFile: string
  readonly keyFile: string
  /** Both in one. */
  readonly pairFile: string
}

/** Makes a certificate for a domain and what is below it, as files in `folder`. */
export async function writeCertificate(folder: string, domain: string): Promise<CertificateFiles> {
  const { certificate, key } = createIdentity(domain, new Date())
  const certificateFile = join(folder, `${domain}.crt`)
  const keyFile = join(folder, `${domain}.key`)
  const pairFile = join(folder, `${domain}.pem`)
  await writeFile(certificateFile, certificate)
  await writeFile(keyFile, key, { mode: 0o600 })
  await writeFile(pairFile, certificate + key, { mode: 0o600 })
  return { certificate, certificateFile, keyFile, pairFile }
}

/** Certificates that this process trusts besides the usual, by their subject. */
const trusted = new Map<string, string>()
const usual = getCACertificates('default')

/**
 * Trusts a certificate in this process, as NODE_EXTRA_CA_CERTS does for a whole one. It takes the place of an earlier one
 * of the same subject, for of two OpenSSL looks at one alone.
 */
export function trustCertificate(certificate: string): void {
  trusted.set(new X509Certificate(certificate).subject, certificate)
  setDefaultCACertificates([...usual, ...trusted.values()])
}
