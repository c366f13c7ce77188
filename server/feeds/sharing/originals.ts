import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import {
  dropUnusedOriginals,
  listDueOriginals,
  listKnownOriginals,
  type OriginalReading,
  type Patience,
  saveOriginal,
} from '#server/store/original.ts'
import { listRepostAddresses } from '#server/store/repost.ts'
import { findBlockOfNode } from '#server/store/site-block.ts'
import type { Item, XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { creditAuthor } from '#shared/credit.ts'
import { readEntry } from '#shared/entry.ts'
import { type BareJid, domainOf, readBareJid } from '#shared/jid.ts'
import { isWithinBounds } from '#shared/xml.ts'
import { readAccess } from '../access.ts'
import { isBelievedAbout, mayHoldComments, type ServicesDeps } from '../belief.ts'
import { type Live, POSTS_TOPIC, postTopic } from '../live.ts'
import { readAccessModel } from '../node-info.ts'
import { waitAtMost } from '../patience.ts'

export interface OriginalsDeps extends ServicesDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
  readonly log: Logger
  readonly siteDomain: BareJid
  readonly site: Pick<XmppSession, 'status' | 'pubsub' | 'disco' | 'readContacts'>
}

export interface Originals {
  start(): void
  stop(): Promise<void>
  /** Asks the nodes of those that are due, once. */
  readDue(): Promise<void>
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const PATIENCE: Patience = { unknown: 10 * MINUTE, missing: DAY, found: 7 * DAY }
/** In one round. */
const MOST = 200
const AT_ONCE = 4
const MOST_TOLD = 100
/** A server that does not answer must not keep Canto from ending. */
const STOP = 1_000

/** Reads what was reposted from its own node, which alone can say who wrote it: by and by, never within a page. */
export function createOriginals(deps: OriginalsDeps): Originals {
  const stopping = new AbortController()
  const stops: (() => void)[] = []
  let running: Promise<void> | undefined
  let isAsked = false

  async function readDue(): Promise<void> {
    if (deps.site.status !== 'online') return
    const due = await listToAsk()
    const lanes = [...Map.groupBy(due, ({ service }) => domainOf(service)).values()]
    const work = async () => {
      for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) await readLane(lane)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  /** The due originals that the index lacks as posts; those that it has are looked at again like the others. */
  async function listToAsk(): Promise<ItemAddress[]> {
    const at = deps.clock()
    const due = await listDueOriginals(deps.index, { now: at, patience: PATIENCE, limit: MOST })
    const known = await listKnownOriginals(deps.index, due)
    for (const address of due) if (known.has(addressKey(address))) await saveOriginal(deps.index, address, { at })
    return due.filter((address) => !known.has(addressKey(address)))
  }

  /** What one server has; one that does not answer is asked for nothing more in this round. */
  async function readLane(addresses: readonly ItemAddress[]): Promise<void> {
    let isSilent = false
    for (const address of addresses) {
      if (stopping.signal.aborted) return
      const outcome: Outcome = isSilent ? 'silent' : await readOriginal(deps, address)
      isSilent ||= outcome === 'silent'
      const reading = outcome === 'silent' ? {} : { reading: outcome }
      await saveOriginal(deps.index, address, { ...reading, at: deps.clock() })
      if (outcome !== 'silent') await tell(address)
    }
  }

  async function tell(original: ItemAddress): Promise<void> {
    for (const address of await listRepostAddresses(deps.index, original, MOST_TOLD)) {
      deps.live.publish(postTopic(address), { kind: 'post-changed', address })
    }
  }

  function wake(): void {
    if (stopping.signal.aborted) return
    if (running !== undefined) {
      isAsked = true
      return
    }
    running = readDue()
      .catch((error: unknown) => deps.log.error(`Originals could not be read: ${describeError(error)}`))
      .finally(() => {
        running = undefined
        if (isAsked) {
          isAsked = false
          wake()
        }
      })
  }

  async function sweep(): Promise<void> {
    await dropUnusedOriginals(deps.index).catch((error: unknown) => deps.log.error(describeError(error)))
    wake()
  }

  return {
    readDue,
    start() {
      stops.push(deps.live.subscribe(POSTS_TOPIC, wake))
      const timer = setInterval(() => void sweep(), MINUTE)
      stops.push(() => clearInterval(timer))
      wake()
    },
    async stop() {
      stopping.abort()
      for (const end of stops.splice(0)) end()
      await waitAtMost(running ?? Promise.resolve(), STOP)
    },
  }
}

async function isForEverybody(deps: OriginalsDeps, { service, node }: ItemAddress): Promise<boolean> {
  const address = { service, node }
  const accessModel = await readAccessModel(deps.site, address)
  return (await readAccess(deps, { address, accessModel, infoReadAt: deps.clock() })) === 'open'
}

type Outcome = OriginalReading | 'missing' | 'silent'

async function readOriginal(deps: OriginalsDeps, address: ItemAddress): Promise<Outcome> {
  if ((await findBlockOfNode(deps.state, address)) !== undefined) return 'missing'
  try {
    // An original that only we may read must not be shown to everybody.
    if (!(await isForEverybody(deps, address))) return 'missing'
    const item = await deps.site.pubsub.findItem(address)
    return (item && (await describe(deps, address, item))) ?? 'missing'
  } catch (error) {
    if (isAppError(error, 'not-found', 'gone', 'forbidden', 'not-authorized', 'bad-request', 'not-implemented')) {
      return 'missing'
    }
    deps.log.debug({ item: addressKey(address).slice(0, 300) }, `An original was not read: ${describeError(error)}`)
    return 'silent'
  }
}

/** The author only where the original's own node proves it; comments only where that author may hold them. */
async function describe(deps: OriginalsDeps, address: ItemAddress, item: Item): Promise<OriginalReading | undefined> {
  const { payload, publisher } = item
  const entry = payload !== undefined && isWithinBounds(payload) ? readEntry(payload) : undefined
  if (entry === undefined) return undefined
  const by = publisher === undefined ? undefined : readBareJid(publisher)
  const isServiceBelieved = by !== undefined && (await isBelievedAbout(deps, address.service, by))
  const credit = creditAuthor({ address, publisher, entryAuthor: entry.author.jid, isServiceBelieved })
  const author = credit.kind === 'credited' ? credit.author : undefined
  const { comments } = entry
  const isTrusted = comments && author && (await mayHoldComments(deps, comments.service, author))
  return {
    status: 'found',
    author: author ?? null,
    name: entry.author.name ?? null,
    title: entry.title,
    alternate: entry.alternate ?? null,
    commentsService: isTrusted ? comments.service : null,
    commentsNode: isTrusted ? comments.node : null,
  }
}
