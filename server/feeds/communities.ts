import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { requireSpace } from '#server/store/space-left.ts'
import type { NodeAddress } from '#shared/address.ts'
import { createNodeName } from '#shared/item-id.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { base, gallery, type NodeConfig } from '#shared/profiles/index.ts'
import { cleanLine } from '#shared/text.ts'
import type { QueueDeps } from './outbox-deps.ts'
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
