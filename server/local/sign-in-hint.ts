import type { LocalServer } from './local-server.ts'

/** How to sign in for the first time, on the web and from an XMPP client on this machine. Nothing once somebody did. */
export function describeSignIn(local: Pick<LocalServer, 'firstBlogger' | 'service' | 'certificate'>): string[] {
  if (local.firstBlogger === undefined) return []
  const { jid, password } = local.firstBlogger
  const { hostname, port } = new URL(local.service)
  return [
    `Sign in with the XMPP address ${jid} and the password ${password}`,
    `XMPP clients on this machine: the same account, host ${hostname}, port ${port}, certificate ${local.certificate}`,
  ]
}
