import { rm, writeFile } from 'node:fs/promises'
import type { Layout } from './layout.ts'
import type { LocalServer } from './local-server.ts'

type Local = Pick<LocalServer, 'firstBlogger' | 'service' | 'certificate' | 'layout'>

/**
 * How to sign in for the first time, on the web and from an XMPP client on this machine. Nothing once somebody did. What is
 * no terminal may keep what it is told, as systemd's journal does: then the password goes to a file that only its owner
 * may read.
 */
export async function describeSignIn(local: Local, isTerminal: boolean): Promise<string[]> {
  if (local.firstBlogger === undefined) return []
  const { jid, password } = local.firstBlogger
  const { hostname, port } = new URL(local.service)
  if (!isTerminal) await saveFirstPassword(local.layout, password)
  return [
    isTerminal
      ? `Sign in with the XMPP address ${jid} and the password ${password}`
      : `Sign in with the XMPP address ${jid}: its password is in ${local.layout.firstPassword}`,
    `XMPP clients on this machine: the same account, host ${hostname}, port ${port}, certificate ${local.certificate}`,
  ]
}

async function saveFirstPassword({ firstPassword }: Layout, password: string): Promise<void> {
  // The mode counts only for a file that is made anew.
  await rm(firstPassword, { force: true })
  await writeFile(firstPassword, `${password}\n`, { mode: 0o600, flag: 'wx' })
}
