import { blogOf } from '#server/feeds/blog-of.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

export const ROWS = [
  'follow',
  'backfill',
  'live publish',
  'edit',
  'retract',
  'id-only event',
  'retract while away',
  'comment from afar',
  'overwritten comment',
  'node deleted while away',
] as const

export type Row = (typeof ROWS)[number]
export type ServerName = 'ejabberd' | 'prosody'

/** A kind of place where a node may be. */
export interface Place {
  readonly name: string
  readonly server: ServerName
  /** Who makes nodes there, where not everybody may. */
  readonly admin?: string
  /** The node of an owner. */
  readonly nodeOf: (owner: BareJid, name: string) => NodeAddress
  /** What this kind of server does not let us have, and what we do instead (shared/servers.md). */
  readonly limits: Partial<Record<Row, string>>
  /** The same for a node of more than fits into one answer. */
  readonly largeLimits?: Partial<Record<Row, string>>
}

const onService = (service: string) => (_: BareJid, node: string) => ({ service: service as BareJid, node })
const onAccount = (owner: BareJid) => blogOf(owner)
const FORBIDS = 'the server forbids it'

export const PLACES: Readonly<Record<ServerName, readonly Place[]>> = {
  ejabberd: [
    {
      name: 'ejabberd account',
      server: 'ejabberd',
      nodeOf: onAccount,
      limits: { 'overwritten comment': FORBIDS },
    },
    {
      name: 'ejabberd service',
      server: 'ejabberd',
      nodeOf: onService('pubsub.ejabberd.test'),
      limits: { 'overwritten comment': FORBIDS },
    },
  ],
  prosody: [
    {
      name: 'Prosody account',
      server: 'prosody',
      nodeOf: onAccount,
      limits: { 'retract while away': 'found within a day, for it neither counts nor lists its items' },
      largeLimits: {
        backfill: 'the newest that fit into one answer; the page says that older ones are missing',
        'retract while away': 'found within a day among the newest that fit into one answer; older ones stay',
      },
    },
    {
      name: 'Prosody component',
      server: 'prosody',
      admin: 'admin',
      nodeOf: onService('pubsub.prosody.test'),
      limits: {},
    },
  ],
}
