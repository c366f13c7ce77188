import { AppError, isAppError } from '#server/errors.ts'
import { findClaimant, findCommunity, noteOwners, saveOwnerSeen } from '#server/store/community.ts'
import type { StateDb } from '#server/store/database.ts'
import type { Affiliation } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { type BeliefDeps, isOwnGround, isSeenOwner } from './belief.ts'
import { askNodeInfo } from './node-info.ts'
import { type OwnSessionDeps, requireOwnSession } from './own-session.ts'
import { waitAtMost } from './patience.ts'
import { requireSite } from './site-session.ts'

interface ClockDeps {
  readonly state: StateDb
  readonly clock: () => Date
}

export interface OwnersDeps extends OwnSessionDeps, BeliefDeps, ClockDeps {}

/** The people of a node, as its service tells somebody. */
export interface People {
  readonly list: readonly Affiliation[]
  /** Whether the site sees that the person asking owns the node. */
  readonly isSeen: boolean
}

/** What is remembered of an account that says it owns a node. */
interface Memory {
  /** When its session was told so: that counts for nothing but what it is offered. */
  readonly saidAt: Date
  /** When the site last saw it. */
  readonly seenAt?: Date | undefined
}

// By account: one that says it owns much pushes out nothing but its own.
const memories = new WeakMap<StateDb, Map<BareJid, Map<string, Memory>>>()
const MOST_ACCOUNTS = 1_000
const MOST_NODES = 100
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Milliseconds after which an act has the site look again. */
const RECENTLY = 10 * MINUTE
/** Milliseconds: what a service says about a node is read every day. */
const LATELY = 48 * HOUR
/** Milliseconds that an act waits for a service to answer. */
const PATIENCE = 5_000

/** Whether somebody moderates a node, as far as it is remembered or said: what they wish is sent to its service. */
export async function isModerator(deps: ClockDeps, jid: BareJid, address: NodeAddress): Promise<boolean> {
  if (localPart(address.service) !== undefined) return address.service === jid
  if ((await findClaimant(deps.state, address)) === jid) return true
  return recall(deps, jid, address) !== undefined
}

/** Whether the site has seen of late that somebody moderates a node. */
export async function isSeenModerator(deps: ClockDeps, jid: BareJid, address: NodeAddress): Promise<boolean> {
  if (localPart(address.service) !== undefined) return address.service === jid
  return wasSeen(deps, jid, address, LATELY)
}

/**
 * Whether the site sees that somebody moderates a node, so that their word acts here at once: looked at anew unless that
 * was minutes ago. A service that does not answer takes nothing back.
 */
export async function seeModerator(deps: OwnersDeps, jid: BareJid, address: NodeAddress): Promise<boolean> {
  if (localPart(address.service) !== undefined) return address.service === jid
  if (await wasSeen(deps, jid, address, RECENTLY)) return true
  if (!(await isModerator(deps, jid, address))) return false
  const look: { outcome: 'seen' | 'unseen' | 'unanswered' } = { outcome: 'unanswered' }
  await waitAtMost(
    lookAtOwner(deps, jid, address).then((outcome) => Object.assign(look, { outcome })),
    PATIENCE,
  )
  if (look.outcome === 'unanswered') return isSeenModerator(deps, jid, address)
  return look.outcome === 'seen'
}

/** On the account's own ground its session is asked, anywhere else the node's service. */
async function lookAtOwner(deps: OwnersDeps, jid: BareJid, address: NodeAddress) {
  try {
    if (await isOwnGround(deps, jid, address.service)) {
      return (await listPeople(deps, jid, address)).isSeen ? 'seen' : 'unseen'
    }
    const info = await askNodeInfo(requireSite(deps).disco, address)
    const owners = info?.owners ?? []
    await noteOwners(deps.state, address, { owners, now: deps.clock() })
    const isSeen = owners.includes(jid)
    if (isSeen) await remember(deps, jid, address, isSeen)
    // Its service names others.
    else if (owners.length > 0) forget(deps, jid, address)
    return isSeen ? 'seen' : 'unseen'
  } catch (error) {
    if (!isAppError(error)) throw error
    return isAppError(error, 'unavailable', 'timeout') ? 'unanswered' : 'unseen'
  }
}

/** The people of a node, as its service tells its owners; forbidden to all others. */
export async function listPeople(deps: OwnersDeps, jid: BareJid, { service, node }: NodeAddress): Promise<People> {
  const address = { service, node }
  const session = requireOwnSession(deps, jid)
  try {
    const list = await session.pubsub.listAffiliations(address)
    if (!list.some((person) => person.jid === jid && person.affiliation === 'owner'))
      throw new AppError('forbidden', 'not an owner')
    const isSeen = await isSeenOwner(deps, jid, address)
    await remember(deps, jid, address, isSeen)
    return { list, isSeen }
  } catch (error) {
    if (!isAppError(error, 'forbidden')) throw error
    forget(deps, jid, address)
    throw new AppError('forbidden', 'Only who owns this community can see and change who may write in it.', {
      cause: error,
    })
  }
}

async function wasSeen(deps: ClockDeps, jid: BareJid, address: NodeAddress, period: number): Promise<boolean> {
  const { owner, seenAt } = (await findCommunity(deps.state, address)) ?? {}
  const times = [owner === jid ? seenAt : undefined, recall(deps, jid, address)?.seenAt]
  return times.some((at) => at !== undefined && isWithinLast(period, at, deps.clock()))
}

async function remember(deps: ClockDeps, jid: BareJid, address: NodeAddress, isSeen: boolean): Promise<void> {
  const now = deps.clock()
  const known = memories.get(deps.state) ?? new Map<BareJid, Map<string, Memory>>()
  memories.set(deps.state, known)
  const nodes = known.get(jid) ?? new Map<string, Memory>()
  known.delete(jid)
  known.set(jid, nodes)
  dropOldest(known, MOST_ACCOUNTS)
  nodes.delete(keyOf(address))
  nodes.set(keyOf(address), { saidAt: now, seenAt: isSeen ? now : undefined })
  dropOldest(nodes, MOST_NODES)
  if (isSeen) await saveOwnerSeen(deps.state, address, { owner: jid, now })
}

function dropOldest(map: Map<unknown, unknown>, most: number): void {
  const [oldest] = map.keys()
  if (oldest !== undefined && map.size > most) map.delete(oldest)
}

function recall({ state, clock }: ClockDeps, jid: BareJid, address: NodeAddress): Memory | undefined {
  const memory = memories.get(state)?.get(jid)?.get(keyOf(address))
  return memory !== undefined && isWithinLast(HOUR, memory.saidAt, clock()) ? memory : undefined
}

function forget({ state }: ClockDeps, jid: BareJid, address: NodeAddress): void {
  memories.get(state)?.get(jid)?.delete(keyOf(address))
}

/** Of the node, where it is the address of an item in it. */
function keyOf({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}
