import type { Config } from '#server/config.ts'
import type { AuthorsDeps } from '#server/feeds/authors.ts'
import type { Live } from '#server/feeds/live.ts'
import type { Outbox } from '#server/feeds/outbox.ts'
import type { Logger } from '#server/log.ts'
import type { People } from '#server/people/people.ts'
import type { Secret } from '#server/people/secret.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import type { BareJid } from '#shared/jid.ts'

/** What the web side takes from the composition root. */
export interface AppContext extends Pick<AuthorsDeps, 'sessions' | 'indexing'> {
  readonly config: Config
  readonly log: Logger
  readonly index: IndexDb
  readonly state: StateDb
  readonly secret: Secret
  readonly siteDomain: BareJid
  readonly people: People
  readonly outbox: Outbox
  readonly live: Live
  readonly clock: () => Date
  /** Whether the site account hears the network now; for /healthz. */
  readonly isOnline?: () => boolean
  /** Where pictures may be fetched from; the open internet unless a test says otherwise. */
  readonly isPictureAddress?: (address: string) => boolean
}
