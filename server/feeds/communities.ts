import { randomUUID } from 'node:crypto'
import { AppError, isAppError } from '#server/errors.ts'
import { findCommunity } from '#server/store/community.ts'
import type { StateDb } from '#server/store/database.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { requireSpace } from '#server/store/space-left.ts'
import type { Affiliation } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
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
}

/** The people of a node, as its service tells somebody. */
export interface People {
  readonly list: readonly Affiliation[]
  /** Whether the site sees that the person asking owns the node. */
  readonly isSeen: boolean
}

// Accounts seen to be owners when they last asked; each new request checks again.
const owners = new WeakMap<StateDb, Set<string>>()

/** Whether somebody moderates a node, as far as it is known without asking. */
export async function isModerator(
  { state }: Pick<OwnersDeps, 'state'>,
  jid: BareJid,
  address: NodeAddress,
): Promise<boolean> {
  if (localPart(address.service) !== undefined) return address.service === jid
  if ((await findCommunity(state, address))?.owner === jid) return true
  return owners.get(state)?.has(ownerKey(jid, address)) ?? false
}

/** The people of a node, as its service tells its owners; forbidden to all others. */
export async function listPeople(deps: OwnersDeps, jid: BareJid, { service, node }: NodeAddress): Promise<People> {
  const { state } = deps
  const session = requireOwnSession(deps, jid)
  const known = owners.get(state) ?? new Set()
  owners.set(state, known)
  try {
    const list = await session.pubsub.listAffiliations({ service, node })
    if (!list.some((person) => person.jid === jid && person.affiliation === 'owner'))
      throw new AppError('forbidden', 'not an owner')
    const isSeen = await isSeenOwner(deps, jid, { service, node })
    known[isSeen ? 'add' : 'delete'](ownerKey(jid, { service, node }))
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
