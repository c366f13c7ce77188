import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeCertificate } from './certificates.ts'
import { MAX_ITEMS, type RealServer } from './ejabberd.ts'
import { findFreePort } from './free-port.ts'
import { createServerProcess } from './server-process.ts'

export interface ProsodyOptions {
  readonly folder: string
  /** Where other domains listen for servers. */
  readonly peers: Readonly<Record<string, number>>
  /** Debian's limits of rate and size instead of none. */
  readonly isStock: boolean
  readonly mayResume: boolean
}

const DOMAIN = 'prosody.test'
/** Who may create nodes on the pubsub component: only its admins. */
export const PROSODY_ADMIN = 'admin'
const MODULES =
  'blocklist carbons dialback disco mam offline pep ping private roster saslauth sasl2 sasl2_bind2 sasl2_fast sasl2_sm smacks time tls uptime vcard4 version'

// Prosody finds other servers by DNS alone. This sends it to given ports on loopback instead.
const STATIC_PEERS = `
module:set_global();
local services = require "prosody.net.resolvers.service";
local addresses = require "prosody.net.resolvers.basic";
local peers = module:get_option("s2s_static", {});
local by_dns = services.new;
local nothing = { next = function (_, done) done(nil); end };
services.new = function (name, service, ...)
  local port = peers[name];
  if not port then return by_dns(name, service, ...); end
  if service ~= "xmpp-server" then return nothing; end
  return addresses.new("127.0.0.1", port, ...);
end
function module.unload() services.new = by_dns; end
`

/** Prosody from Debian's packages with SASL2 and its store in SQLite, its nodes as it configures them by itself. */
export async function startProsody(options: ProsodyOptions): Promise<RealServer & { readonly configFile: string }> {
  const { folder } = options
  const [port, s2sPort, httpPort] = [await findFreePort(), await findFreePort(), await findFreePort()]
  for (const name of ['data', 'modules']) await mkdir(join(folder, name), { recursive: true })
  const { certificate, certificateFile, keyFile } = await writeCertificate(folder, DOMAIN)
  const configFile = join(folder, 'prosody.cfg.lua')
  await writeFile(join(folder, 'modules', 'mod_s2s_static.lua'), STATIC_PEERS)
  await writeFile(configFile, configure({ ...options, port, s2sPort, httpPort, certificateFile, keyFile }))
  const server = createServerProcess({
    command: 'prosody',
    args: ['--config', configFile, '-F'],
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    output: join(folder, 'console.log'),
    ports: [port, s2sPort],
  })
  await server.start()
  return { domain: DOMAIN, port, s2sPort, certificate, process: server, configFile }
}

interface Places extends ProsodyOptions {
  readonly port: number
  readonly s2sPort: number
  readonly httpPort: number
  readonly certificateFile: string
  readonly keyFile: string
}

function configure(places: Places): string {
  const { folder, peers, isStock, mayResume, port, s2sPort, httpPort, certificateFile, keyFile } = places
  const text = JSON.stringify
  const modules = `${MODULES}${isStock ? ' limits' : ''}`
    .split(' ')
    .map((name) => text(name))
    .join('; ')
  const limits = isStock
    ? 'limits = { c2s = { rate = "10kb/s" }; s2sin = { rate = "30kb/s" } }'
    : `pep_max_items = ${MAX_ITEMS}`
  return `
run_as_root = true
pidfile = ${text(join(folder, 'prosody.pid'))}
data_path = ${text(join(folder, 'data'))}
plugin_paths = { ${text(join(folder, 'modules'))} }
log = { { levels = { min = "info" }, to = "file", filename = ${text(join(folder, 'prosody.log'))} } }
use_ipv6 = false
c2s_interfaces = { "127.0.0.1" } c2s_ports = { ${port} } c2s_direct_tls_ports = {}
s2s_interfaces = { "127.0.0.1" } s2s_ports = { ${s2sPort} } s2s_direct_tls_ports = {}
http_interfaces = { "127.0.0.1" } http_ports = { ${httpPort} } https_ports = {}
component_ports = {}
c2s_require_encryption = true
s2s_require_encryption = false
s2s_secure_auth = false
authentication = "internal_hashed"
-- Accounts in files: prosodyctl writes them while the server uses its database, and SQLite would lock one of both out.
storage = { accounts = "internal"; account_activity = "internal"; account_roles = "internal"; account_flags = "internal" }
default_storage = "sql"
sql = { driver = "SQLite3", database = "prosody.sqlite" }
-- A kill loses nothing all the same, and no transaction waits for the disk.
sqlite_tune = "normal"
smacks_hibernation_time = ${mayResume ? 300 : 0}
${limits}
s2s_static = { ${Object.entries(peers)
    .map(([name, peer]) => `[${text(name)}] = ${peer}`)
    .join('; ')} }
modules_enabled = { "s2s_static"; ${modules} }
ssl = { certificate = ${text(certificateFile)}; key = ${text(keyFile)} }

VirtualHost "${DOMAIN}"
Component "pubsub.${DOMAIN}" "pubsub"
  admins = { "${PROSODY_ADMIN}@${DOMAIN}" }
  ${isStock ? '' : `pubsub_max_items = ${MAX_ITEMS}`}
Component "upload.${DOMAIN}" "http_file_share"
`
}
