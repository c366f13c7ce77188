import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findEjabberd } from '#server/local/packages.ts'
import { silentLogger } from '#server/log.ts'
import { writeCertificate } from './certificates.ts'
import { findFreePort } from './free-port.ts'
import { createServerProcess, type ServerProcess } from './server-process.ts'

export interface EjabberdOptions {
  readonly folder: string
  /** Where unpacked packages are kept between runs. */
  readonly cache: string
  readonly dnsPort: number
  /** Debian's limits of rate and size instead of none. */
  readonly isStock: boolean
  readonly mayResume: boolean
}

export interface RealServer {
  readonly domain: string
  /** For clients. */
  readonly port: number
  readonly s2sPort: number
  readonly apiPort?: number
  readonly certificate: string
  readonly process: ServerProcess
  /** Changes options at the top of its configuration, from its next start on. */
  readonly reconfigure?: (options: object) => Promise<void>
}

const DOMAIN = 'ejabberd.test'
export const MAX_ITEMS = 20_000

/** ejabberd from Debian's packages, its nodes as the package configures them, on free ports. */
export async function startEjabberd(options: EjabberdOptions): Promise<RealServer> {
  const { folder, cache } = options
  const root = await findEjabberd(cache, silentLogger)
  const [port, s2sPort, apiPort] = [await findFreePort(), await findFreePort(), await findFreePort()]
  for (const name of ['spool', 'log', 'home', 'upload']) await mkdir(join(folder, name), { recursive: true })
  const { certificate, pairFile } = await writeCertificate(folder, DOMAIN)
  const config = join(folder, 'ejabberd.yml')
  const inetrc = join(folder, 'inetrc')
  const written = configure({ ...options, port, s2sPort, apiPort, pairFile })
  const reconfigure = (changes: object) => writeFile(config, JSON.stringify({ ...written, ...changes }))
  await reconfigure({})
  await writeFile(
    inetrc,
    `{resolv_conf,""}.\nclear_ns.\n{lookup,[file,native]}.\n{nameserver,{127,0,0,1},${options.dnsPort}}.\n`,
  )
  const server = createServerProcess({
    command: root.command,
    args: ['+K', 'true', '-mnesia', 'dir', '"."', '-noinput', '-s', 'ejabberd'],
    cwd: join(folder, 'spool'),
    env: {
      ...root.env,
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: join(folder, 'home'),
      LC_ALL: 'C.UTF-8',
      EJABBERD_CONFIG_PATH: config,
      EJABBERD_LOG_PATH: join(folder, 'log', 'ejabberd.log'),
      ERL_CRASH_DUMP_BYTES: '0',
      ERL_INETRC: inetrc,
    },
    output: join(folder, 'log', 'console.log'),
    ports: [port, s2sPort, apiPort],
  })
  await server.start()
  return { domain: DOMAIN, port, s2sPort, apiPort, certificate, process: server, reconfigure }
}

interface Places extends EjabberdOptions {
  readonly port: number
  readonly s2sPort: number
  readonly apiPort: number
  readonly pairFile: string
}

function configure({ folder, isStock, mayResume, port, s2sPort, apiPort, pairFile }: Places): object {
  const loopback = { ip: '127.0.0.1' }
  const shaped = { max_stanza_size: 262_144, shaper: 'c2s_shaper' }
  return {
    hosts: [DOMAIN],
    loglevel: 'warning',
    log_rotate_count: 0,
    certfiles: [pairFile],
    auth_method: 'internal',
    auth_password_format: 'scram',
    s2s_use_starttls: 'optional',
    s2s_max_retry_delay: 1,
    s2s_timeout: '10s',
    acl: { local: { user_regexp: '' }, loopback: { ip: ['127.0.0.0/8'] } },
    access_rules: { local: { allow: 'local' }, c2s: { allow: 'all' } },
    api_permissions: {
      tests: { from: ['mod_http_api'], who: { access: { allow: { acl: 'loopback' } } }, what: '*' },
    },
    ...(isStock && {
      shaper: { normal: { rate: 3000, burst_size: 20_000 }, fast: 200_000 },
      shaper_rules: { c2s_shaper: { normal: 'all' }, s2s_shaper: 'fast' },
    }),
    listen: [
      {
        ...loopback,
        port,
        module: 'ejabberd_c2s',
        starttls: true,
        starttls_required: true,
        ...(isStock ? shaped : { max_stanza_size: 1_048_576, shaper: 'none' }),
      },
      {
        ...loopback,
        port: s2sPort,
        module: 'ejabberd_s2s_in',
        max_stanza_size: 524_288,
        ...(isStock && { shaper: 's2s_shaper' }),
      },
      {
        ...loopback,
        port: apiPort,
        module: 'ejabberd_http',
        request_handlers: { '/api': 'mod_http_api', '/upload': 'mod_http_upload', '/ws': 'ejabberd_http_ws' },
      },
    ],
    modules: configureModules({ folder, isStock, mayResume, apiPort }),
  }
}

function configureModules(places: Pick<Places, 'folder' | 'isStock' | 'mayResume' | 'apiPort'>): object {
  const { folder, isStock, mayResume, apiPort } = places
  const names = 'admin_extra auth_fast blocking caps carboncopy client_state disco http_api last mix_pam offline ping'
  const more = 'privacy private roster s2s_dialback time vcard vcard_xupdate version'
  return {
    ...Object.fromEntries(`${names} ${more}`.split(' ').map((name) => [`mod_${name}`, {}])),
    mod_stream_mgmt: { resume_timeout: mayResume ? 300 : 0 },
    mod_http_upload: {
      put_url: `http://127.0.0.1:${apiPort}/upload`,
      docroot: join(folder, 'upload'),
      max_size: 1_048_576,
    },
    mod_mam: { default: 'always', assume_mam_usage: true },
    mod_mix: { host: 'mix.@HOST@' },
    mod_pubsub: {
      hosts: ['pubsub.@HOST@'],
      access_createnode: 'local',
      plugins: ['flat', 'pep'],
      ...(!isStock && { max_items_node: MAX_ITEMS }),
    },
  }
}
