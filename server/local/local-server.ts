import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { asciiDomain, type BareJid } from '#shared/jid.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import { createLocalAccounts, type LocalAccounts } from './accounts.ts'
import { createIdentity, isUsableIdentity } from './certificate.ts'
import { spawnEjabberd, stopChild, stopOrphan, waitUntilReady } from './ejabberd.ts'
import { INETRC, writeEjabberdConfig } from './ejabberd-config.ts'
import { checkPort } from './free-port.ts'
import { type Layout, layOut } from './layout.ts'
import { findEjabberd } from './packages.ts'
import { forgetFirstBlogger, openSecrets } from './secrets.ts'
import { supervise } from './supervise.ts'
import { measureUploads } from './uploads.ts'

/** The XMPP server that runs beside Canto when no account is configured. */
export interface LocalServer extends LocalAccounts, AsyncDisposable {
  /** The site account. */
  readonly jid: BareJid
  readonly password: string
  /** `xmpp://127.0.0.1:PORT`. */
  readonly service: string
  /** The path of its certificate, for XMPP clients on this machine. */
  readonly certificate: string
  /** The same certificate (PEM), for this process to trust. */
  readonly caCertificate: string
  readonly layout: Layout
  /** How many files an account has uploaded, and their bytes. */
  measureUploads(jid: BareJid): Promise<{ rows: number; bytes: number }>
  /** Set until somebody signed in. */
  readonly firstBlogger: { readonly jid: BareJid; readonly password: string } | undefined
  /** Somebody signed in on the web: the first password is forgotten here. */
  firstSignInDone(): Promise<void>
  stop(): Promise<void>
}

/** Fetches what is missing, starts the server, and keeps it running until `stop`. */
export async function startLocalServer({ local, data, cache }: Config, log: Logger): Promise<LocalServer> {
  const layout = layOut(data)
  await makeFolders(layout)
  const root = await findEjabberd(cache, log)
  let secrets = await openSecrets(local, layout)
  const caCertificate = await writeIdentity(layout, asciiDomain(local.domain))
  await writeFile(layout.config, writeEjabberdConfig(local, layout, secrets.apiPath), { mode: 0o600 })
  await writeFile(layout.inetrc, INETRC)
  const api = { port: local.httpPort, path: secrets.apiPath, domain: asciiDomain(local.domain) }
  const start = async () => {
    await stopOrphan(layout)
    // ejabberd itself would only log a taken port and go on.
    await checkPort({ host: '127.0.0.1', port: local.xmppPort, variable: 'CANTO_LOCAL_XMPP_PORT' })
    await checkPort({ host: '127.0.0.1', port: local.httpPort, variable: 'CANTO_LOCAL_HTTP_PORT' })
    const child = await spawnEjabberd(root, layout)
    await waitUntilReady(child, layout, api).catch(async (error: unknown) => {
      await stopChild(child)
      throw error
    })
    return child
  }
  const supervised = await supervise({ start, stop: stopChild, log })
  const accounts = createLocalAccounts(api, local.domain)
  const stop = async () => supervised[Symbol.asyncDispose]()
  try {
    for (const { jid, password } of [secrets.site, secrets.firstBlogger].filter((one) => one !== undefined)) {
      await accounts.register(jid, password)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ...accounts,
    ...secrets.site,
    service: `xmpp://127.0.0.1:${local.xmppPort}`,
    certificate: layout.certificate,
    caCertificate,
    layout,
    measureUploads: (jid) => measureUploads(layout, jid),
    get firstBlogger() {
      return secrets.firstBlogger
    },
    async firstSignInDone() {
      if (secrets.firstBlogger !== undefined) secrets = await forgetFirstBlogger(local, layout)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function makeFolders(layout: Layout): Promise<void> {
  const folders = [layout.folder, layout.spool, layout.logs, layout.uploads]
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 })
}

async function writeIdentity(layout: Layout, domain: string): Promise<string> {
  const kept = await readFile(layout.identity, 'utf8').catch(() => '')
  if (!isUsableIdentity(kept, domain, new Date())) {
    const { certificate, key } = createIdentity(domain, new Date())
    await writeFile(layout.identity, certificate + key, { mode: 0o600 })
    await writeFile(layout.certificate, certificate, { mode: 0o644 })
  }
  return readFile(layout.certificate, 'utf8')
}
