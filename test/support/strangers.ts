import { getServers, setServers } from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { startDns } from './dns.ts'

/** Until disposed of, DNS leads from these domains to ports on loopback, where clients begin with TLS; no others exist. */
export async function leadByDns(ports: Readonly<Record<string, number>>): Promise<AsyncDisposable & { port: number }> {
  const dns = await startDns((name, service) => (service === 'xmpps-client' ? ports[name] : undefined))
  const before = getServers()
  askDns(dns.port)
  return {
    port: dns.port,
    async [Symbol.asyncDispose]() {
      setServers(before)
      syncBuiltinESMExports()
      await dns.stop()
    },
  }
}

/** Has this process ask the DNS server at a port on loopback, and no other. */
export function askDns(port: number): void {
  setServers([`127.0.0.1:${port}`])
  // Node changes its functions for that, and those imported before stay the old ones.
  syncBuiltinESMExports()
}
