import { randomBytes, randomInt } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { BareJid } from '#shared/jid.ts'
import type { LocalConfig } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Layout } from './layout.ts'

/** Easy to tell apart and to type. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'

/** What `accounts.json` keeps between starts, readable by its owner only. */
export interface Secrets {
  readonly domain: BareJid
  readonly site: Credentials
  /** The path of the server's HTTP API. */
  readonly apiPath: string
  /** Kept until somebody signed in. */
  readonly firstBlogger?: Credentials
}

interface Credentials {
  readonly jid: BareJid
  readonly password: string
}

/** The accounts of this data folder, made up at the first start. */
export async function openSecrets(local: LocalConfig, layout: Layout): Promise<Secrets> {
  const text = await readFile(layout.accounts, 'utf8').catch(() => undefined)
  if (text === undefined) {
    const fresh: Secrets = {
      domain: local.domain,
      site: { jid: local.siteAccount, password: randomBytes(24).toString('base64url') },
      apiPath: `/${randomBytes(24).toString('hex')}`,
      firstBlogger: { jid: local.firstBlogger, password: createTypablePassword() },
    }
    await saveSecrets(layout, fresh)
    return fresh
  }
  const kept = JSON.parse(text) as Secrets
  if (kept.domain === local.domain) return kept
  const mended = `set CANTO_LOCAL_DOMAIN=${kept.domain}, or use another CANTO_DATA`
  throw new AppError('bad-request', `The accounts in ${layout.folder} belong to the domain ${kept.domain}: ${mended}`)
}

/** Nobody needs to be told the first password any more. */
export async function forgetFirstBlogger(local: LocalConfig, layout: Layout): Promise<Secrets> {
  const { firstBlogger: _signedIn, ...kept } = await openSecrets(local, layout)
  await saveSecrets(layout, kept)
  await rm(layout.firstPassword, { force: true })
  return kept
}

async function saveSecrets(layout: Layout, secrets: Secrets): Promise<void> {
  const fresh = `${layout.accounts}.new`
  await writeFile(fresh, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 })
  await rename(fresh, layout.accounts)
}

/** 16 characters of 32: 80 bits. */
function createTypablePassword(): string {
  const group = () => Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  return [group(), group(), group(), group()].join('-')
}
