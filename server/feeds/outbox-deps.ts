import type { KeepDeps } from '#server/store/space-left.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Indexing } from './indexing.ts'
import type { IngestDeps } from './ingest.ts'

export interface OutboxDeps extends IngestDeps {
  /** The account's own session, if it is signed in. */
  readonly sessions: (jid: BareJid) => XmppSession | undefined
  readonly config: KeepDeps['config'] & { readonly url: URL; readonly isUrlSet: boolean; readonly title?: string }
  readonly indexing?: Pick<Indexing, 'watch'>
  readonly outbox?: { wake(account: BareJid): void }
}

/** What the queue functions need: the whole context fits. */
export interface QueueDeps extends Pick<OutboxDeps, 'index' | 'state' | 'clock' | 'config' | 'siteDomain'> {
  readonly outbox?: { wake(account: BareJid): void }
}
