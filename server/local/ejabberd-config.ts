import { relative } from 'node:path'
import type { LocalConfig } from '../config.ts'
import type { Layout } from './layout.ts'

/** 1 MiB: an item may have 250,000 bytes in ejabberd, and a page of items comes in one stanza. */
const MAX_STANZA_BYTES = 1_048_576
/** What `max` means on a node. The server is the only copy of a blog, so nothing is trimmed in practice. */
const MAX_ITEMS = 1_000_000
/** Twice what a picture may have in Canto: other clients share more than pictures. */
const MAX_UPLOAD_BYTES = 20_971_520
/**
 * Megabytes of one account's uploads: beyond the first the oldest are deleted until the second is kept. ejabberd cannot refuse
 * instead, so this is far above what pictures of a blog take: a bound for the disk.
 */
const UPLOAD_QUOTA = { hard: 10_000, soft: 9_000 } as const

/**
 * ejabberd's configuration: one domain on loopback, its store in one SQLite file, no federation, no rate limit. JSON is
 * YAML, so no path or name needs quoting of ours.
 */
export function writeEjabberdConfig(local: LocalConfig, layout: Layout, apiPath: string): string {
  const settings = {
    hosts: [local.domain],
    loglevel: 'warning',
    log_rotate_size: 10_485_760,
    log_rotate_count: 2,
    certfiles: [inFolder(layout, layout.identity)],
    auth_method: 'sql',
    auth_password_format: 'scram',
    default_db: 'sql',
    sql_type: 'sqlite',
    sql_database: inFolder(layout, layout.database),
    update_sql_schema: true,
    s2s_access: 'none',
    listen: writeListeners(local, apiPath),
    acl: { local: { user_regexp: '' } },
    access_rules: { local: { allow: 'local' }, c2s: { allow: 'all' } },
    shaper_rules: { hard_upload_quota: UPLOAD_QUOTA.hard, soft_upload_quota: UPLOAD_QUOTA.soft },
    api_permissions: {
      'whoever knows the path': {
        from: ['mod_http_api'],
        who: 'all',
        what: ['register', 'unregister', 'registered_users', 'change_password', 'status'],
      },
    },
    modules: writeModules(local, layout),
  }
  return `${JSON.stringify(settings, undefined, 2)}\n`
}

/** The API shares the upload port, at a path that nobody can guess: other users of this machine reach loopback too. */
function writeListeners(local: LocalConfig, apiPath: string): object[] {
  const loopback = { ip: '127.0.0.1' }
  return [
    {
      ...loopback,
      port: local.xmppPort,
      module: 'ejabberd_c2s',
      max_stanza_size: MAX_STANZA_BYTES,
      shaper: 'none',
      starttls_required: true,
    },
    {
      ...loopback,
      port: local.httpPort,
      module: 'ejabberd_http',
      request_handlers: { '/upload': 'mod_http_upload', [apiPath]: 'mod_http_api' },
    },
  ]
}

function writeModules(local: LocalConfig, layout: Layout): object {
  const plain = 'admin_extra auth_fast blocking caps carboncopy client_state disco http_api last mix_pam offline ping'
  const more = 'privacy private roster stream_mgmt time vcard vcard_xupdate'
  return {
    ...Object.fromEntries(`${plain} ${more}`.split(' ').map((name) => [`mod_${name}`, {}])),
    mod_http_upload: {
      host: 'upload.@HOST@',
      put_url: `http://127.0.0.1:${local.httpPort}/upload`,
      docroot: inFolder(layout, layout.uploads),
      max_size: MAX_UPLOAD_BYTES,
    },
    mod_http_upload_quota: { access_hard_quota: 'hard_upload_quota', access_soft_quota: 'soft_upload_quota' },
    mod_mam: { default: 'always', assume_mam_usage: true },
    mod_mix: { host: 'mix.@HOST@' },
    mod_pubsub: {
      hosts: ['pubsub.@HOST@'],
      access_createnode: 'local',
      ignore_pep_from_offline: false,
      last_item_cache: false,
      max_items_node: MAX_ITEMS,
      plugins: ['flat', 'pep'],
    },
  }
}

/** ejabberd runs in its folder. */
function inFolder({ folder }: Layout, path: string): string {
  return relative(folder, path)
}

/** Names are answered by this machine alone: the server has nobody to talk to. */
export const INETRC = '{resolv_conf,""}.\n{lookup,[file,native]}.\n{host,{127,0,0,1},["localhost"]}.\n'
