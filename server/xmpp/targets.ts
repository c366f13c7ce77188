import { resolveSrv } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AppError } from '#server/errors.ts'
import { type LookUp, lookUpHere, lookUpInDns } from '#server/look-up.ts'
import { asciiDomain, type BareJid } from '#shared/jid.ts'

/** One place to try: `url` for the library, and what the socket really connects to. */
export interface Target {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly security: 'direct' | 'starttls' | 'websocket'
  /** Loopback by the operator's own choice: TLS where offered, else plain. */
  readonly mayBePlain: boolean
}

export interface TargetOptions {
  readonly service?: string | undefined
  readonly allowPrivate?: boolean
  /** DNS as the machine has it unless told. */
  readonly resolveSrv?: typeof resolveSrv
}

const MAX_TARGETS = 8

/** Where the account's server may be: the configured service alone, else what DNS says of `domain` (RFC 6120 §3.2, XEP-0368). */
export async function findTargets(domain: BareJid, options: TargetOptions = {}): Promise<Target[]> {
  const { service, allowPrivate = false } = options
  if (service !== undefined) return [readService(service)]
  const hosts = await findHosts(asciiDomain(domain), options.resolveSrv ?? resolveSrv)
  // What may be on a private network may also have a name that only this machine knows.
  const lookUp = allowPrivate ? lookUpHere : lookUpInDns
  const found = hosts.slice(0, MAX_TARGETS).map(async ({ name, port, security }) => {
    const addresses = (await findAddresses(name, lookUp)).filter((address) => allowPrivate || isPublicAddress(address))
    return addresses.map((address) => makeTarget(address, port, security))
  })
  const targets = (await Promise.all(found)).flat()
  if (targets.length === 0) throw new AppError('unavailable', `There is no XMPP server to be found for ${domain}`)
  return targets.slice(0, MAX_TARGETS)
}

/** Reads `xmpp://host:port`, `xmpps://…` and `wss://…`. */
export function readService(service: string): Target {
  const url = URL.canParse(service) ? new URL(service) : undefined
  const host = url?.hostname.replace(/^\[|\]$/g, '')
  if (url === undefined || !host) throw new AppError('bad-request', `${service} is not an address of an XMPP service`)
  const isOnLoopback = isLoopback(host)
  if (url.protocol === 'wss:' || (url.protocol === 'ws:' && isOnLoopback)) {
    const port = Number(url.port) || (url.protocol === 'wss:' ? 443 : 80)
    return { url: service, host, port, security: 'websocket', mayBePlain: isOnLoopback }
  }
  if (url.protocol === 'xmpps:') return makeTarget(host, Number(url.port) || 5223, 'direct')
  if (url.protocol !== 'xmpp:') throw new AppError('bad-request', `${service} is not an address of an XMPP service`)
  return { ...makeTarget(host, Number(url.port) || 5222, 'starttls'), mayBePlain: isOnLoopback }
}

/** Whether `address` is one that strangers' domains may lead us to. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

/** Whether `host`, a name or an address without brackets, is this machine. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback'
}

function makeTarget(host: string, port: number, security: 'direct' | 'starttls'): Target {
  const written = isIP(host) === 6 ? `[${host}]` : host
  // TLS is begun by stream.ts in either case, never by the library.
  return { url: `xmpp://${written}:${port}`, host, port, security, mayBePlain: false }
}

interface Host {
  readonly name: string
  readonly port: number
  readonly security: 'direct' | 'starttls'
}

async function findHosts(domain: string, resolve: typeof resolveSrv): Promise<Host[]> {
  const literal = domain.replace(/^\[|\]$/g, '')
  if (isIP(literal)) return [{ name: literal, port: 5222, security: 'starttls' }]
  const [direct, starttls] = await Promise.all([
    findSrv(resolve, `_xmpps-client._tcp.${domain}`),
    findSrv(resolve, `_xmpp-client._tcp.${domain}`),
  ])
  if (direct.length + starttls.length === 0) return [{ name: domain, port: 5222, security: 'starttls' }]
  const hosts = [
    ...direct.map((record) => ({ ...record, security: 'direct' as const })),
    ...starttls.map((record) => ({ ...record, security: 'starttls' as const })),
  ]
  return hosts
    .filter((host) => host.name !== '' && host.name !== '.')
    .sort((a, b) => a.priority - b.priority || Math.random() * (b.weight + 1) - Math.random() * (a.weight + 1))
}

async function findSrv(resolve: typeof resolveSrv, name: string) {
  try {
    return await resolve(name)
  } catch {
    // No record and no answer are the same to us: RFC 6120 §3.2.2 falls back to the domain itself.
    return []
  }
}

async function findAddresses(name: string, lookUp: LookUp): Promise<string[]> {
  const host = name.replace(/\.$/, '')
  if (isIP(host)) return [host]
  try {
    return (await lookUp(host)).map((found) => found.address)
  } catch {
    return []
  }
}
