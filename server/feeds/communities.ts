import { randomUUID } from 'node:crypto'
import { AppError, isAppError } from '#server/errors.ts'
import { findCommunity, saveOwnerSeen } from '#server/store/community.ts'
import type { StateDb } from '#server/store/database.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { requireSpace } from '#server/store/space-left.ts'
import type { Affiliation } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { createNodeName } from '#shared/item-id.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { base, gallery, type NodeConfig } from '#shared/profiles/index.ts'
import { cleanLine } from '#shared/text.ts'
import { type BeliefDeps, isSeenOwner } from './belief.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { type OwnSessionDeps, requireOwnSession } from './own-session.ts'
import { nodeRowAddress, queue } from './queue-row.ts'
import type { BlockTask, CommunityTask } from './task.ts'

export interface NewCommunity {
  readonly owner: BareJid
  /** Of the form, so that it counts once. */
  readonly key: string
  readonly service: BareJid
  readonly kind: CommunityTask['profile']
  readonly title: string
  readonly description: string
  /** Whether anybody may post, or only the owner and these. */
  readonly publishers: 'everyone' | readonly BareJid[]
}

const PROFILES = { base, gallery } as const

/** Makes a community by its owner's own session; who may is the service's to say. */
export async function queueCommunity(deps: QueueDeps, community: NewCommunity): Promise<OutboxRow> {
  const { owner, key, service, kind, publishers } = community
  const title = cleanLine(community.title, 200)
  if (title === '') throw new AppError('bad-request', 'Give the community a title.')
  const description = cleanLine(community.description, 2_000)
  const node = createNodeName(title) ?? `community-${randomUUID().slice(0, 8)}`
  const isOpen = publishers === 'everyone'
  const task: CommunityTask = {
    ...{ kind: 'community', profile: kind, title, description, isOpen },
    publishers: isOpen ? [] : publishers.filter((jid) => jid !== owner),
  }
  await requireSpace(deps, 'communities', { account: owner, row: { service, node } })
  return queue(deps, task, { account: owner, address: nodeRowAddress({ service, node }), key })
}

/** The configuration that a community is made with. */
export function communityConfig({ profile, title, description, isOpen }: CommunityTask): NodeConfig {
  return { ...PROFILES[profile].config, publish_model: isOpen ? 'open' : 'publishers', title, description }
}

/** Shuts somebody out of a community, lets them write there, or neither, by its owner's own session. */
export async function queueAffiliation(
  deps: QueueDeps,
  { by, address, jid, affiliation }: { by: BareJid; address: NodeAddress } & Omit<BlockTask, 'kind'>,
): Promise<OutboxRow> {
  if (jid === by) throw new AppError('bad-request', 'You own this community: that stays so.')
  const isOthers = localPart(address.service) !== undefined && address.service !== by
  if (isOthers) throw new AppError('forbidden', 'Only its owner can block somebody on a blog.')
  if (affiliation === 'outcast') await requireSpace(deps, 'blocks', { account: by, row: { ...address, jid } })
  const row = { account: by, address: nodeRowAddress(address), key: randomUUID() }
  return queue(deps, { kind: 'block', jid, affiliation }, row)
}

export interface OwnersDeps extends OwnSessionDeps, BeliefDeps {
  readonly state: StateDb
  readonly clock: () => Date
}

/** The people of a node, as its service tells somebody. */
export interface People {
  readonly list: readonly Affiliation[]
  /** Whether the site sees that the person asking owns the node. */
  readonly isSeen: boolean
}

// When accounts that asked were seen to be owners, by `performance.now()`; each new request checks again.
const owners = new WeakMap<StateDb, Map<string, number>>()
const HOUR = 3_600_000
/** Milliseconds: what a service says about a node is read every day. */
const LATELY = 48 * HOUR

/** Whether the site has seen of late that somebody moderates a node: only then does their word act here at once. */
export async function isSeenModerator(
  deps: Pick<OwnersDeps, 'state' | 'clock'>,
  jid: BareJid,
  address: NodeAddress,
): Promise<boolean> {
  if (localPart(address.service) !== undefined) return address.service === jid
  const { owner, seenAt } = (await findCommunity(deps.state, address)) ?? {}
  if (owner === jid && seenAt !== undefined && isWithinLast(LATELY, seenAt, deps.clock())) return true
  return hasAsked(deps.state, jid, address)
}

/** Whether somebody moderates a node, as far as it is remembered: what they wish is sent to its service. */
export async function isModerator(
  { state }: Pick<OwnersDeps, 'state'>,
  jid: BareJid,
  address: NodeAddress,
): Promise<boolean> {
  if (localPart(address.service) !== undefined) return address.service === jid
  if ((await findCommunity(state, address))?.owner === jid) return true
  return hasAsked(state, jid, address)
}

function hasAsked(state: StateDb, jid: BareJid, address: NodeAddress): boolean {
  const at = owners.get(state)?.get(ownerKey(jid, address))
  return at !== undefined && performance.now() - at < HOUR
}

/** The people of a node, as its service tells its owners; forbidden to all others. */
export async function listPeople(deps: OwnersDeps, jid: BareJid, { service, node }: NodeAddress): Promise<People> {
  const { state } = deps
  const session = requireOwnSession(deps, jid)
  const known = owners.get(state) ?? new Map<string, number>()
  owners.set(state, known)
  try {
    const list = await session.pubsub.listAffiliations({ service, node })
    if (!list.some((person) => person.jid === jid && person.affiliation === 'owner'))
      throw new AppError('forbidden', 'not an owner')
    const isSeen = await isSeenOwner(deps, jid, { service, node })
    if (isSeen) {
      known.set(ownerKey(jid, { service, node }), performance.now())
      await saveOwnerSeen(state, { service, node }, { owner: jid, now: deps.clock() })
    } else known.delete(ownerKey(jid, { service, node }))
    return { list, isSeen }
  } catch (error) {
    known.delete(ownerKey(jid, { service, node }))
    if (!isAppError(error, 'forbidden')) throw error
    throw new AppError('forbidden', 'Only who owns this community can see and change who may write in it.', {
      cause: error,
    })
  }
}

function ownerKey(jid: BareJid, { service, node }: NodeAddress): string {
  return `${jid} ${addressKey({ service, node })}`
}
