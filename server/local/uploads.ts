import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asciiDomain, type BareJid, domainOf, localPart } from '#shared/jid.ts'
import type { Layout } from './layout.ts'

/** How many files an account has uploaded to the local server, and their bytes. ejabberd calls its folder by the SHA-1 of its JID. */
export async function measureUploads({ uploads }: Layout, jid: BareJid): Promise<{ rows: number; bytes: number }> {
  const folder = join(
    uploads,
    createHash('sha1')
      .update(`${localPart(jid)}@${asciiDomain(domainOf(jid))}`)
      .digest('hex'),
  )
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  let [rows, bytes] = [0, 0]
  for (const file of found) {
    if (!file.isFile()) continue
    rows += 1
    bytes += (await stat(join(file.parentPath, file.name)).catch(() => undefined))?.size ?? 0
  }
  return { rows, bytes }
}
