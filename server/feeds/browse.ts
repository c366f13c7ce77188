import { findBlog } from '#server/store/blog.ts'
import type { IndexDb } from '#server/store/database.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { cleanLine } from '#shared/text.ts'
import { mayFollow } from './follow.ts'
import { type NodeInfo, readNodeInfo } from './node-info.ts'
import { type OwnSessionDeps, requireOwnSession } from './own-session.ts'
import { waitAtMost } from './patience.ts'

export interface BrowseDeps extends OwnSessionDeps {
  readonly index: IndexDb
  /** Milliseconds for all questions about nodes: those not answered by then are shown by their names alone. */
  readonly patience?: number
}

/** A node that a service lists. */
export interface ListedNode extends Omit<NodeInfo, 'owners'> {
  readonly address: NodeAddress
  /** How many items it has, where the service counts them. */
  readonly count?: number
  /** Whether it has a page here. */
  readonly isKnown: boolean
}

export interface Browsed {
  readonly nodes: readonly ListedNode[]
  /** Whether the service has more than are shown. */
  readonly isCut: boolean
}

const MOST = 200
const AT_ONCE = 8
const DETAILS_MS = 10_000
const LONGEST_NODE = 1_023

/** The service that a person's server offers for nodes of many people. */
export async function findService(deps: BrowseDeps, jid: BareJid): Promise<BareJid | undefined> {
  const services = await requireOwnSession(deps, jid)
    .readServices()
    .catch(() => undefined)
  return services?.pubsub
}

/** The feeds of a service, by what it tells the person's own session; comments and attachments are none. */
export async function browse(deps: BrowseDeps, jid: BareJid, service: BareJid): Promise<Browsed> {
  const { disco, pubsub } = requireOwnSession(deps, jid)
  // One more, and those that are left out, to know whether there are more.
  const items = await disco.listItems(service, undefined, { max: MOST * 3 })
  const names = new Map<string, string | undefined>()
  for (const item of items.slice(0, MOST * 50)) {
    if (
      item.node !== undefined &&
      readBareJid(item.jid) === service &&
      item.node.length <= LONGEST_NODE &&
      mayFollow({ service, node: item.node })
    )
      names.set(item.node, item.name)
  }
  const found = new Map<string, ListedNode>()
  for (const [node, title] of [...names].slice(0, MOST)) {
    const address = { service, node }
    const isKnown = (await findBlog(deps.index, address)) !== undefined
    found.set(node, {
      address,
      ...(title === undefined || title === node ? {} : { title: cleanLine(title, 300) }),
      isKnown,
    })
  }
  const waiting = [...found.values()]
  let isOver = false
  const ask = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !isOver; next = waiting.shift()) {
      const { address } = next
      const [info, count] = await Promise.all([
        disco.readInfo(service, address.node).then(readNodeInfo, () => ({})),
        pubsub.countItems(address).catch(() => undefined),
      ])
      if (!isOver) found.set(address.node, { ...next, ...withoutEmpty(info), count })
    }
  }
  await waitAtMost(Promise.all(Array.from({ length: AT_ONCE }, ask)), deps.patience ?? DETAILS_MS)
  isOver = true
  return { nodes: [...found.values()], isCut: names.size > MOST }
}

function withoutEmpty({ owners: _, ...info }: Partial<NodeInfo>): Partial<NodeInfo> {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined))
}
