import { addressKey } from '#shared/address.ts'
import type { Indexing } from './feeds/indexing.ts'
import type { Metrics, Sample } from './metrics.ts'
import type { People } from './people/people.ts'
import type { IndexDb, StateDb } from './store/database.ts'
import { listFeedNodes } from './store/node.ts'
import { countOutbox } from './store/outbox.ts'
import type { SessionStatus, XmppSession } from './xmpp/ports.ts'

export interface GaugeSources {
  readonly index: IndexDb
  readonly state: StateDb
  readonly site: XmppSession
  readonly people: Pick<People, 'sessions'>
  readonly indexing: Indexing
  readonly clock: () => Date
}

const STATUSES: readonly SessionStatus[] = ['connecting', 'online', 'waiting', 'refused', 'stopped']

/** What `/metrics` reads when it is asked for. */
export function addGauges(metrics: Metrics, sources: GaugeSources): void {
  const { index, state, site, people, clock } = sources
  const seconds = (since: Date | undefined) => (since === undefined ? 0 : (clock().getTime() - since.getTime()) / 1000)

  metrics.addGauge('connections', 'XMPP sessions, of the site and of the people who are signed in', () => [
    ...countStatuses('site', [site]),
    ...countStatuses('people', people.sessions()),
  ])
  metrics.addGauge('xmpp_bytes', 'XML of the site account since the start, before TLS', () => {
    const { bytesIn = 0, bytesOut = 0 } = site.traffic ?? {}
    return [
      { labels: { direction: 'in' }, value: bytesIn },
      { labels: { direction: 'out' }, value: bytesOut },
    ]
  })
  metrics.addGauge('xmpp_round_trips', 'Questions of the site account that had to wait for their answers', () => [
    { value: site.traffic?.roundTrips ?? 0 },
  ])
  metrics.addGauge('node_lag_seconds', 'Time since a blog or community was last compared with its service', async () =>
    (await listFeedNodes(index)).map(({ address, readAt, status }) => ({
      labels: { node: addressKey(address), status },
      value: seconds(readAt),
    })),
  )
  metrics.addGauge('outbox_rows', 'What people asked for, by whether it is done', async () =>
    (await countOutbox(state)).map(({ kind, status, count }) => ({ labels: { kind, status }, value: count })),
  )
  metrics.addGauge('outbox_oldest_seconds', 'Age of the oldest row that waits', async () => {
    const waiting = (await countOutbox(state)).filter(({ status }) => status === 'waiting')
    return [{ value: Math.max(0, ...waiting.map(({ oldest }) => seconds(oldest))) }]
  })
}

function countStatuses(account: string, sessions: readonly XmppSession[]): Sample[] {
  return STATUSES.map((status) => ({
    labels: { account, status },
    value: sessions.filter((session) => session.status === status).length,
  }))
}
