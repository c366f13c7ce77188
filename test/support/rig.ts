import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { trustCertificate } from './certificates.ts'
import { startDns } from './dns.ts'
import { type RealServer, startEjabberd } from './ejabberd.ts'
import { findFreePort } from './free-port.ts'
import { startProsody } from './prosody.ts'
import { joinProxies, startProxy, type TcpLink, type TcpProxy } from './tcp-proxy.ts'

/** What a test may do with a server of the rig. */
export interface RigServer {
  readonly domain: string
  /** For `openSession`, `CANTO_XMPP_SERVICE` and other clients. */
  readonly service: string
  readonly port: number
  /** The same over WebSocket, where it has that. */
  readonly webSocket?: string
  /** PEM: other processes trust it by NODE_EXTRA_CA_CERTS. */
  readonly certificate: string
  register(user: string, password: string): Promise<void>
  unregister(user: string): Promise<void>
  changePassword(user: string, password: string): Promise<void>
  /** ejabberd: two of its accounts get each other's presence. */
  befriend?(one: string, other: string): Promise<void>
  /** ejabberd: starts it again with other options at the top of its configuration. Only on a rig of the test's own. */
  reconfigure(options: object): Promise<void>
  /** Only on a rig of the test's own. */
  restart(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
}

export interface Rig extends AsyncDisposable {
  readonly ejabberd: RigServer
  readonly prosody: RigServer
  /** All that the servers say to each other, in both directions: only with the option `link`. */
  readonly link: TcpLink
  /** What another process needs to use this rig: the value of CANTO_TEST_RIG. */
  readonly description: string
  stop(): Promise<void>
}

export interface RigOptions {
  /** Which servers to start; both unless told. */
  readonly servers?: readonly ('ejabberd' | 'prosody')[]
  /** Debian's own limits of rate and size instead of none. */
  readonly stock?: boolean
  /** Lets a test cut what is between the two servers. */
  readonly link?: boolean
  /** Sessions may be resumed after a drop (XEP-0198); else the servers forget them at once. */
  readonly resume?: boolean
}

interface Described {
  readonly domain: string
  readonly port: number
  readonly certificate: string
  readonly apiPort?: number
  readonly configFile?: string
}

type Description = Partial<Record<'ejabberd' | 'prosody', Described>>

const run = promisify(execFile)
const VARIABLE = 'CANTO_TEST_RIG'
const CACHE = fileURLToPath(new URL('../../data/cache', import.meta.url))

/** The rig that test/run.ts started, else one of our own. Servers that the test stops must be its own: `own`. */
export async function useRig(options: RigOptions & { readonly own?: boolean } = {}): Promise<Rig> {
  const shared = process.env[VARIABLE]
  const isPlain = !options.own && !options.stock && !options.link && !options.resume
  if (shared === undefined || !isPlain) return startRig(options)
  const description = JSON.parse(shared) as Description
  trust(description)
  return makeRig(description, async () => {})
}

/** Starts real servers on free ports of loopback, federated with each other, and trusts their certificates here. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const wanted = options.servers ?? ['ejabberd', 'prosody']
  const [isStock, mayResume] = [options.stock ?? false, options.resume ?? false]
  const folder = await mkdtemp(join(tmpdir(), 'canto-rig-'))
  const ports = new Map<string, { client: number; server: number }>()
  const dns = await startDns((name, service) => {
    const found = [...ports].find(([domain]) => name === domain || name.endsWith(`.${domain}`))?.[1]
    return service === 'xmpp-server' ? found?.server : service === 'xmpp-client' ? found?.client : undefined
  })
  const servers: Partial<Record<'ejabberd' | 'prosody', RealServer>> = {}
  const proxies: TcpProxy[] = []
  /** Where the other server finds this one. */
  const meet = async (s2sPort: number) => {
    if (options.link !== true) return s2sPort
    const proxy = await startProxy(s2sPort)
    proxies.push(proxy)
    return proxy.port
  }
  async function stop(): Promise<void> {
    await Promise.all(Object.values(servers).map((server) => server.process.stop()))
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    await dns.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const limits = { isStock, mayResume }
  try {
    for (const name of wanted) await mkdir(join(folder, name))
    if (wanted.includes('ejabberd')) {
      const cache = process.env.CANTO_TEST_CACHE ?? CACHE
      servers.ejabberd = await startEjabberd({ folder: join(folder, 'ejabberd'), cache, dnsPort: dns.port, ...limits })
      ports.set('ejabberd.test', { client: servers.ejabberd.port, server: await meet(servers.ejabberd.s2sPort) })
    }
    if (wanted.includes('prosody')) {
      const peer = ports.get('ejabberd.test')?.server ?? (await findFreePort())
      const peers = { 'ejabberd.test': peer, 'pubsub.ejabberd.test': peer, 'mix.ejabberd.test': peer }
      servers.prosody = await startProsody({ folder: join(folder, 'prosody'), peers, ...limits })
      ports.set('prosody.test', { client: servers.prosody.port, server: await meet(servers.prosody.s2sPort) })
    }
  } catch (error) {
    await stop()
    throw error
  }
  const description: Description = Object.fromEntries(
    Object.entries(servers).map(([name, { process: _, reconfigure: __, ...described }]) => [name, described]),
  )
  trust(description)
  return makeRig(description, stop, { servers, link: joinProxies(proxies) })
}

function trust(description: Description): void {
  for (const { certificate } of Object.values(description)) trustCertificate(certificate)
}

interface OwnParts {
  readonly servers: Record<string, RealServer>
  readonly link: TcpLink
}

function makeRig(description: Description, stop: () => Promise<void>, own?: OwnParts): Rig {
  const made = new Map(
    Object.entries(description).map(([name, described]) => [name, makeServer(described, own?.servers[name])]),
  )
  const get = (name: 'ejabberd' | 'prosody'): RigServer => {
    const server = made.get(name)
    if (server === undefined) throw new Error(`This rig has no ${name}`)
    return server
  }
  return {
    get ejabberd() {
      return get('ejabberd')
    },
    get prosody() {
      return get('prosody')
    },
    get link() {
      if (own === undefined) throw new Error('Only a rig of its own has a link: useRig({ link: true })')
      return own.link
    },
    description: JSON.stringify(description),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function makeServer(described: Described, server: RealServer | undefined): RigServer {
  const { domain, port, certificate } = described
  const own = () => {
    if (server === undefined) throw new Error('Only a rig of its own may be stopped by a test: useRig({ own: true })')
    return server.process
  }
  const accounts = described.apiPort === undefined ? prosodyAccounts(described) : ejabberdAccounts(described)
  return {
    domain,
    port,
    certificate,
    service: `xmpp://127.0.0.1:${port}`,
    ...(described.apiPort !== undefined && { webSocket: `ws://127.0.0.1:${described.apiPort}/ws` }),
    ...accounts,
    async reconfigure(options) {
      if (server?.reconfigure === undefined)
        throw new Error('Only an ejabberd of its own can be reconfigured by a test')
      await server.reconfigure(options)
      await server.process.restart()
    },
    restart: () => own().restart(),
    start: () => own().start(),
    stop: () => own().stop(),
    kill: () => own().kill(),
  }
}

function ejabberdAccounts({ domain, apiPort }: Described) {
  const call = async (command: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${apiPort}/api/${command}`, {
      method: 'POST',
      body: JSON.stringify({ host: domain, ...body }),
    })
    if (!answer.ok) throw new Error(`ejabberd refused ${command}: ${await answer.text()}`)
  }
  return {
    register: (user: string, password: string) => call('register', { user, password }),
    async befriend(one: string, other: string) {
      const item = { localhost: domain, nick: '', groups: [], subs: 'both' }
      await call('add_rosteritem', { ...item, localuser: one, user: other })
      await call('add_rosteritem', { ...item, localuser: other, user: one })
    },
    unregister: (user: string) => call('unregister', { user }),
    changePassword: (user: string, newpass: string) => call('change_password', { user, newpass }),
  }
}

function prosodyAccounts({ domain, configFile }: Described) {
  const call = (...args: string[]) => run('prosodyctl', ['--root', '--config', configFile ?? '', ...args])
  const register = async (user: string, password: string) => void (await call('register', user, domain, password))
  return {
    register,
    unregister: async (user: string) => void (await call('deluser', `${user}@${domain}`)),
    changePassword: register,
  }
}
