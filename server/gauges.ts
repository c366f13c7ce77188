import { addressKey } from '#shared/address.ts'
import type { CatchUpReport } from './feeds/catch-up-report.ts'
import type { Indexing } from './feeds/indexing.ts'
import type { Metrics, Sample } from './metrics.ts'
import type { People } from './people/people.ts'
import type { IndexDb, StateDb } from './store/database.ts'
import { listFeedNodes, sumNodes } from './store/node.ts'
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

// Stream three times, TLS, SCRAM twice, resource, session, disco of server, items and five services (test/bench).
const NAIVE_SIGN_IN = 15
/** Milliseconds. It goes through every node, and hardly changes. */
const SUM_KEPT_MS = 10 * 60_000
const STATUSES: readonly SessionStatus[] = ['connecting', 'online', 'waiting', 'refused', 'stopped']

/** What `/metrics` reads when it is asked for. */
export function addGauges(metrics: Metrics, sources: GaugeSources): void {
  const { index, state, site, people, indexing, clock } = sources
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
  metrics.addGauge('lane_tasks', 'Readings by server, by whether they wait or run', () =>
    indexing.lanes().flatMap(({ lane: server, waiting, running }) => [
      { labels: { server, state: 'waiting' }, value: waiting },
      { labels: { server, state: 'running' }, value: running },
    ]),
  )
  metrics.addGauge('lane_down_seconds', 'Time until a server that does not answer is tried again', () =>
    indexing.lanes().map(({ lane: server, downUntil }) => ({
      labels: { server },
      value: downUntil === undefined ? 0 : Math.max(0, -seconds(downUntil)),
    })),
  )
  addCatchUpGauges(metrics, sources)
}

/** What the last reconnection cost, beside what it costs a client that signs in, discovers and reads all anew. */
function addCatchUpGauges(metrics: Metrics, { index, indexing }: GaugeSources): void {
  const ofLast = (name: string, help: string, read: (last: CatchUpReport) => number | undefined) =>
    metrics.addGauge(`last_catch_up_${name}`, help, () => {
      const last = indexing.lastCatchUp
      const value = last && read(last)
      return value === undefined ? [] : [{ labels: { how: last?.how ?? 'password' }, value }]
    })
  ofLast('seconds', 'From the dropped connection to caught up, by how the session came back', ({ ms }) => ms / 1000)
  ofLast('round_trips', 'The same in round trips', ({ roundTrips }) => roundTrips)
  ofLast('nodes', 'The same in nodes that were asked for', ({ nodes }) => nodes)
  ofLast('bytes', 'The same in bytes of XML, both ways', ({ bytesIn, bytesOut }) =>
    bytesIn === undefined || bytesOut === undefined ? undefined : bytesIn + bytesOut,
  )
  const readSum = remember(() => sumNodes(index), SUM_KEPT_MS)
  metrics.addGauge('naive_catch_up_round_trips', 'What a client without tokens and memory spends', async () => [
    { value: NAIVE_SIGN_IN + (await readSum()).nodes },
  ])
  metrics.addGauge('naive_catch_up_bytes', 'The same in bytes: every item of every node', async () => [
    { value: (await readSum()).bytes },
  ])
}

/** Caches the last reading for `ms` milliseconds. */
function remember<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let last: { readonly at: number; readonly value: Promise<T> } | undefined
  return () => {
    if (last === undefined || performance.now() - last.at > ms) {
      last = { at: performance.now(), value: read() }
      last.value.catch(() => {
        last = undefined
      })
    }
    return last.value
  }
}

function countStatuses(account: string, sessions: readonly XmppSession[]): Sample[] {
  return STATUSES.map((status) => ({
    labels: { account, status },
    value: sessions.filter((session) => session.status === status).length,
  }))
}
