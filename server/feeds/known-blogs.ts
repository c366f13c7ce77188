import { createSlices } from '#server/slices.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { countEntries } from '#server/store/entry.ts'
import { addNode, deleteNode, findNode, isFeed, listFeedNodes, type NodeRow, updateNode } from '#server/store/node.ts'
import { forgetChangedWish, isWanted, listChangedWishes, listWantedNodes } from '#server/store/wanted-node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { emptyNode } from './empty-node.ts'
import { type Live, NODES_TOPIC } from './live.ts'

export interface KnownBlogsDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
  /** Aborted when the process ends: what is being dropped then is dropped at the next start. */
  readonly signal?: AbortSignal
}

/** Changes of one round. */
const MOST_CHANGED = 500
/** A feed that has more entries is not dropped while somebody waits. */
const FEW_ENTRIES = 200

/** Makes the index know the site's blogs and communities, what anybody here follows, and no other. In slices. */
export async function knowBlogs(deps: KnownBlogsDeps): Promise<void> {
  const pause = createSlices()
  for await (const addresses of listWantedNodes(deps.state)) {
    for (const address of addresses) {
      await know(deps, address)
      await pause()
    }
  }
  for (const node of await listFeedNodes(deps.index)) {
    if (!(await isWanted(deps.state, node.address))) await drop(deps, node)
    await pause()
  }
}

/**
 * The same for what somebody began to want since it was last looked at, in whatever process, or ceased to: the last
 * follower of a node may have left. With `isQuick` large feeds are only hidden, and dropped the next time.
 */
export async function knowChanged(deps: KnownBlogsDeps, { isQuick = false } = {}): Promise<void> {
  const pause = createSlices()
  for (const address of await listChangedWishes(deps.state, MOST_CHANGED)) {
    await pause()
    const node = await findNode(deps.index, address)
    if (isQuick && node !== undefined && (await countEntries(deps.index, node.id)) > FEW_ENTRIES) {
      if (!(await isWanted(deps.state, address))) await hide(deps, address)
      continue
    }
    // First, so that what changes from here on is looked at again.
    await forgetChangedWish(deps.state, address)
    if (await isWanted(deps.state, address)) await know(deps, address)
    else if (node !== undefined && isFeed(node)) await drop(deps, node)
  }
}

function hide({ index }: KnownBlogsDeps, address: NodeAddress): Promise<void> {
  return updateNode(index, address, { status: 'deleted' })
}

async function drop(deps: KnownBlogsDeps, node: NodeRow): Promise<void> {
  const { index, state, live } = deps
  const { address } = node
  // At once: the rest takes a while where there is much.
  await hide(deps, address)
  await emptyNode(deps, node)
  await deleteNode(index, address)
  live.publish(NODES_TOPIC, { kind: 'node-dropped', address })
  if (!(await isWanted(state, address))) return
  // It came back meanwhile.
  await know(deps, address)
  live.publish(NODES_TOPIC, { kind: 'node-added', address })
}

/** An account owns its own nodes; who owns one of a service nobody but its owners is told. */
async function know({ index, clock }: Pick<KnownBlogsDeps, 'index' | 'clock'>, address: NodeAddress): Promise<void> {
  const isAccount = localPart(address.service) !== undefined
  const kind = isAccount && address.node === NS.MICROBLOG ? 'blog' : 'community'
  await addNode(index, { address, kind, owner: isAccount ? address.service : undefined, now: clock() })
}
