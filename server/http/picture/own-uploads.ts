import type { Config } from '#server/config.ts'

/** Whether an address is of a picture on the XMPP server that runs here: on loopback, where nothing else is fetched. */
export function isOwnUpload({ isLocal, local }: Pick<Config, 'isLocal' | 'local'>, address: string): boolean {
  const url = isLocal ? URL.parse(address) : null
  if (url === null || url.username !== '' || url.password !== '') return false
  return url.origin === `http://127.0.0.1:${local.httpPort}` && url.pathname.startsWith('/upload/')
}
