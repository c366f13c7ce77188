import { join } from 'node:path'

/** Where the local server keeps what: everything is its owner's alone. */
export interface Layout {
  readonly folder: string
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
  /** There until somebody signed in, where no terminal could be told. */
  readonly firstPassword: string
  readonly pid: string
}

export function layOut(data: string): Layout {
  const folder = join(data, 'local')
  return {
    folder,
    spool: join(folder, 'spool'),
    logs: join(folder, 'logs'),
    uploads: join(folder, 'uploads'),
    database: join(folder, 'ejabberd.sqlite'),
    config: join(folder, 'ejabberd.yml'),
    inetrc: join(folder, 'inetrc'),
    identity: join(folder, 'identity.pem'),
    certificate: join(folder, 'certificate.pem'),
    accounts: join(folder, 'accounts.json'),
    firstPassword: join(folder, 'first-password'),
    pid: join(folder, 'ejabberd.pid'),
  }
}
