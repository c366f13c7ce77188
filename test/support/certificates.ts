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

/** Trusts a certificate in this process, as NODE_EXTRA_CA_CERTS does for a whole one. */
export function trustCertificate(certificate: string): void {
  setDefaultCACertificates([...getCACertificates('default'), certificate])
}
