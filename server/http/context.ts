import type { Config } from '#server/config.ts'
import type { DomainServices } from '#server/feeds/domain-services.ts'
import type { Indexing } from '#server/feeds/indexing.ts'
import type { Live } from '#server/feeds/live.ts'
import type { Outbox } from '#server/feeds/outbox.ts'
import type { Permits } from '#server/feeds/permits.ts'
import type { Proofs } from '#server/feeds/proofs/proofs.ts'
import type { Rooms } from '#server/feeds/rooms/rooms.ts'
import type { UploadDeps } from '#server/feeds/upload.ts'
import type { Logger } from '#server/log.ts'
import type { Meters } from '#server/meters.ts'
import type { People } from '#server/people/people.ts'
import type { Secret } from '#server/people/secret.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import type { BareJid } from '#shared/jid.ts'

export interface Health {
  /** Whether pages can be served and the site account has been heard since the start. */
  readonly isReady: boolean
  readonly xmpp: 'online' | 'offline'
  /** In sentences. */
  readonly problems: readonly string[]
}

/** What the web side takes from the composition root. */
export interface AppContext {
  readonly config: Config
  readonly log: Logger
  readonly index: IndexDb
  readonly state: StateDb
  readonly secret: Secret
  readonly siteDomain: BareJid
  readonly siteJid: BareJid
  readonly services: DomainServices
  readonly people: People
  /** Somebody's own session, and the site account's, to be handed on to the feeds room. */
  readonly sessions: People['session']
  readonly outbox: Outbox
  /** What the servers of those who are signed in offer. */
  readonly rooms: Pick<Rooms, 'mayUse' | 'mayOpen'>
  /** Comments of people who are not signed in. */
  readonly proofs: Pick<Proofs, 'siteJid' | 'isPossible' | 'ask' | 'find'>
  readonly indexing?: Pick<Indexing, 'watch' | 'viewed'>
  /** Permits for what not everybody may read; without it nobody has any. */
  readonly permits?: Pick<Permits, 'has' | 'look'>
  readonly live: Live
  readonly clock: () => Date
  /** Why the site is not ready, or not as well as it should be; for /healthz. */
  readonly readHealth: () => Promise<Health>
  readonly meters: Meters
  /** For /metrics. */
  readonly metrics?: { readonly contentType: string; write(): Promise<string> }
  /** Files and bytes that an account has uploaded, where its files are on this machine. */
  readonly measureUploads?: UploadDeps['measureUploads']
  /** From where pictures and pages may be fetched; the open internet unless a test says otherwise. */
  readonly isPublicAddress?: (address: string) => boolean
  /** After how many milliseconds a page asks again that cannot be live; half a minute unless a test says otherwise. */
  readonly pollMs?: number
}
