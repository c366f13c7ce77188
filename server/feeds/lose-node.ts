import { type AppError, isAppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import { countDoubted, hasContent, hideNode, listHiddenNodes, showNode } from '#server/store/hidden-node.ts'
import type { Loss } from '#server/store/index-schema.ts'
import { findNode, isRead, type NodeRow, updateNode } from '#server/store/node.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import type { Disco } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { domainOf } from '#shared/jid.ts'
import { type Access, type AccessDeps, readAccess } from './access.ts'
import { announceChanged } from './announce.ts'
import type { Inbox } from './inbox.ts'
import type { IngestDeps } from './ingest.ts'
import { clearEntries } from './remove.ts'

export interface LossDeps extends IngestDeps {
  readonly site: AccessDeps['site'] & { readonly disco: Pick<Disco, 'readInfo'> }
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Nodes in an hour. More are not lost one by one: something stands between their services and us. */
const MOST_DOUBTED = 20
const DOUBTFUL = ['refused', 'missing', 'emptied', 'thinned'] as const
/** XEP-0060 §6.5.9: these are about the node and who asks. */
const CERTAIN: ReadonlySet<string | undefined> = new Set([
  'closed-node',
  'presence-subscription-required',
  'not-in-roster-group',
])
/** The ways in which a whole node is lost. */
export type NodeLoss = Exclude<Loss, 'thinned'>
const CLEARED_AS = { closed: 'closed', refused: 'closed', missing: 'deleted', emptied: 'purged' } as const

/** The loss of a node that its service's answer means; undefined where the error may pass. */
export function readLoss({ code, pubsubCondition }: AppError): NodeLoss | undefined {
  if (code === 'not-found' || code === 'gone') return 'missing'
  if (code !== 'forbidden' && code !== 'not-authorized') return undefined
  return CERTAIN.has(pubsubCondition) ? 'closed' : 'refused'
}

/**
 * Its service does not give us a node any more: what is known of it is hidden, and cleared when the same is said a day
 * later. A loss that is not certain counts only where the domain answers us, and not for many nodes at once. Must run
 * between the events of the node.
 */
export async function loseNode(deps: LossDeps, address: NodeAddress, loss: NodeLoss): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined) return
  if (node.status !== 'hidden' && !(await hasContent(deps.index, node))) return clear(deps, node, loss)
  const now = deps.clock()
  // The day begins again where the clock was put back meanwhile: nothing is cleared before its time.
  const hiddenAt = node.status === 'hidden' ? node.hiddenAt : undefined
  if (hiddenAt !== undefined && hiddenAt > now) {
    return updateNode(deps.index, address, { hiddenAt: now.getTime() })
  }
  const isDue = hiddenAt === undefined || now.getTime() - hiddenAt.getTime() >= DAY
  if (isDue) {
    if (loss !== 'closed' && !(await isBelieved(deps, node))) return
    return node.status === 'hidden' ? clear(deps, node, loss) : hide(deps, node, loss)
  }
  // The page of a blog that is only empty can be shown.
  if (loss === 'closed' || loss === 'emptied') await updateNode(deps.index, address, { hiddenFor: loss })
}

async function hide(deps: LossDeps, node: NodeRow, loss: NodeLoss): Promise<void> {
  await hideNode(deps.index, node, { loss, at: deps.clock() })
  await announceChanged(deps, node)
}

async function clear(deps: LossDeps, node: NodeRow, loss: NodeLoss): Promise<void> {
  const how = CLEARED_AS[loss]
  // Whatever is there when it comes back is another node's.
  if (how !== 'purged')
    await updateNode(deps.index, node.address, { backfill: 'none', backfillCursor: null, deepDueAt: null })
  if (node.status !== how) await clearEntries(deps, node, how)
  if (how === 'purged') await findNodeAgain(deps, node.address, await readAccess(deps, node))
}

/**
 * Nearly everything on a node is gone, though it can be read. Returns whether that is certain: the same was found a day
 * ago, its domain answers us, and few other nodes are lost. Must run between the events of the node.
 */
export async function loseMost(deps: LossDeps, address: NodeAddress): Promise<boolean> {
  const node = await findNode(deps.index, address)
  if (node === undefined || node.status === 'hidden') return false
  const now = deps.clock().getTime()
  const since = node.hiddenFor === 'thinned' ? (node.hiddenAt?.getTime() ?? now) : undefined
  const isDoubted = since !== undefined && since <= now
  if (isDoubted && now - since < DAY) return false
  if (!(await isBelieved(deps, node))) return false
  if (isDoubted) return true
  deps.log.warn(`Nearly everything on ${addressKey(address)} is gone: it is kept here until that is still so in a day`)
  await updateNode(deps.index, address, { hiddenAt: now, hiddenFor: 'thinned', deepDueAt: now + DAY })
  return false
}

/** Settles the doubt about a node of which a reading lacked nearly everything. */
export async function forgetThinned({ index }: Pick<LossDeps, 'index'>, address: NodeAddress): Promise<void> {
  await updateNode(index, address, { hiddenAt: null, hiddenFor: null })
}

/** It can be read: with everything that is known of it, as if it had never been hidden. */
export async function findNodeAgain(
  deps: Pick<IngestDeps, 'index' | 'live'>,
  address: NodeAddress,
  status: Access,
): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined || node.status === status) return
  await showNode(deps.index, node, status)
  if (node.status === 'hidden' || isRead(node)) await announceChanged(deps, node)
}

/** Clears what was certainly closed a day ago, whether its server can be asked now or not. */
export async function clearClosed(deps: LossDeps & { readonly inbox: Pick<Inbox, 'run'> }): Promise<void> {
  const until = new Date(deps.clock().getTime() - DAY)
  for (const { address } of await listHiddenNodes(deps.index, { losses: ['closed'], until, limit: MOST_DOUBTED })) {
    await deps.inbox.run(address, async () => {
      const node = await findNode(deps.index, address)
      if (node?.status === 'hidden') await clear(deps, node, 'closed')
    })
  }
}

/** A refusal of one node is of that node only where its domain talks to us, and few others are refused. */
async function isBelieved(deps: LossDeps, { address }: NodeRow): Promise<boolean> {
  try {
    await deps.site.disco.readInfo(domainOf(address.service))
  } catch (error) {
    if (!isAppError(error)) throw error
    return false
  }
  await updateNode(deps.index, address, { doubtedAt: deps.clock().getTime() })
  return !(await areManyLost(deps))
}

/** Many nodes that would have been hidden or cleared at once. */
export interface ManyLost {
  readonly since: Date
  /** When last another one was. */
  readonly at: Date
  readonly count: number
}

const SETTING = 'nodes.lost'
/** After the last one it is told for so long, and nodes are asked every hour. */
const TOLD = 2 * HOUR

/** So many nodes are lost now that none of them is taken for lost; for who runs the site. */
export async function findManyLost(state: StateDb, now: Date): Promise<ManyLost | undefined> {
  const kept = await findSetting(state, SETTING)
  if (kept === undefined) return undefined
  const { since, at, count } = JSON.parse(kept) as { since: string; at: string; count: number }
  const found = { since: new Date(since), at: new Date(at), count }
  return Math.abs(now.getTime() - found.at.getTime()) < TOLD ? found : undefined
}

/** The same in a sentence without its full stop. */
export function describeManyLost({ since, count }: ManyLost): string {
  return `since ${since.toISOString()} ${count} nodes are refused, missing or (nearly) empty all at once, though their servers answer: nothing of them was hidden or removed`
}

async function areManyLost(deps: LossDeps): Promise<boolean> {
  const now = deps.clock()
  const known = await findManyLost(deps.state, now)
  const since = new Date(now.getTime() - (known === undefined ? HOUR : TOLD))
  const count = await countDoubted(deps.index, { since, until: now })
  if (count <= MOST_DOUBTED) return false
  const found = { since: known?.since ?? now, at: now, count }
  await saveSetting(deps.state, SETTING, JSON.stringify(found))
  if (known === undefined) deps.log.error(`The index is kept as it is: ${describeManyLost(found)}`)
  const recent = { losses: DOUBTFUL, after: new Date(now.getTime() - HOUR), until: now, limit: MOST_DOUBTED }
  for (const node of await listHiddenNodes(deps.index, recent)) {
    if (node.hiddenFor === 'thinned') {
      await forgetThinned(deps, node.address)
      continue
    }
    deps.log.info(`${addressKey(node.address)} is shown again`)
    await findNodeAgain(deps, node.address, await readAccess(deps, node))
  }
  return true
}
