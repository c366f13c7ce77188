import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { asciiDomain, type BareJid } from '#shared/jid.ts'
import type { Config } from '../config.ts'
import { lockDataFolder, openDataFolder } from '../data-folder.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { createLocalAccounts, type LocalAccounts } from './accounts.ts'
import { layOut } from './layout.ts'
import { startLocalServer } from './local-server.ts'
import { forgetFirstBlogger, openSecrets } from './secrets.ts'
import { trustCertificate } from './trust.ts'

/** The local server as an operator's command uses it. */
export interface LocalHandle extends LocalAccounts, AsyncDisposable {
  readonly siteAccount: BareJid
  /** The site account's. */
  readonly password: string
  readonly service: string
  /** After its password or itself was changed: the first blogger is not offered, or made, at the next start. */
  forget(jid: BareJid): Promise<void>
}

/** The server of the Canto that runs on this data folder, else one started for as long as the command takes. */
export async function useLocalServer(config: Config, log: Logger): Promise<LocalHandle> {
  const forget = async (jid: BareJid) => {
    const layout = layOut(config.data)
    const { firstBlogger } = await openSecrets(config.local, layout)
    if (firstBlogger?.jid === jid) await forgetFirstBlogger(config.local, layout)
  }
  if (!config.isLocal) {
    throw new AppError('bad-request', 'CANTO_XMPP_JID is set: accounts are made on its XMPP server, not here')
  }
  if (isRunning(config)) return { ...(await useRunning(config)), forget }
  const lock = await openDataFolder(config.data)
  try {
    const local = await startLocalServer(config, log)
    trustCertificate(local.caCertificate)
    const stop = async () => {
      await local.stop()
      lock.release()
    }
    return { ...local, siteAccount: local.jid, forget, [Symbol.asyncDispose]: stop }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Whether a Canto has this data folder open now. */
export function isRunning({ data }: Pick<Config, 'data'>): boolean {
  if (!existsSync(data)) return false
  const lock = lockDataFolder(data)
  lock?.release()
  return lock === undefined
}

async function useRunning({ local, data }: Config): Promise<Omit<LocalHandle, 'forget'>> {
  const layout = layOut(data)
  const secrets = await openSecrets(local, layout)
  trustCertificate(await readFile(layout.certificate, 'utf8'))
  const api = { port: local.httpPort, path: secrets.apiPath, domain: asciiDomain(local.domain) }
  return {
    ...createLocalAccounts(api, local.domain),
    siteAccount: secrets.site.jid,
    password: secrets.site.password,
    service: `xmpp://127.0.0.1:${local.xmppPort}`,
    async [Symbol.asyncDispose]() {},
  }
}
