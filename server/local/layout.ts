import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The longest path that a Unix socket may have on Linux (107 bytes) and macOS (103), with room for a temporary name. */
const LONGEST_SOCKET_PATH = 100

/** Where the local server keeps what: everything is its owner's alone. */
export interface Layout {
  readonly folder: string
  /** Unpacked programs: may be deleted at any time. */
  readonly cache: string
  readonly spool: string
  readonly logs: string
  readonly uploads: string
  /** People's only copy of what they write. */
  readonly database: string
  readonly config: string
  readonly inetrc: string
  /** Certificate and key in one PEM file. */
  readonly identity: string
  /** The certificate alone, for people's XMPP clients. */
  readonly certificate: string
  readonly accounts: string
  readonly pid: string
  /** ejabberd's HTTP API: only this user may open it. */
  readonly socket: string
}

export function layOut(data: string): Layout {
  const folder = join(data, 'local')
  return {
    folder,
    cache: join(data, 'cache'),
    spool: join(folder, 'spool'),
    logs: join(folder, 'logs'),
    uploads: join(folder, 'uploads'),
    database: join(folder, 'ejabberd.sqlite'),
    config: join(folder, 'ejabberd.yml'),
    inetrc: join(folder, 'inetrc'),
    identity: join(folder, 'identity.pem'),
    certificate: join(folder, 'certificate.pem'),
    accounts: join(folder, 'accounts.json'),
    pid: join(folder, 'ejabberd.pid'),
    socket: socketPath(folder),
  }
}

/** The same for the same data folder, so that the operator's commands find it. */
function socketPath(folder: string): string {
  const path = join(folder, 'run', 'api.sock')
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return join(tmpdir(), `canto-${name}`, 'api.sock')
}
