import { AppError, isAppError } from '#server/errors.ts'
import { saveCommunity } from '#server/store/community.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import type { NodeConfig } from '#server/xmpp/ports.ts'
import { seeOwned } from './belief.ts'
import { isConfigured } from './blog-node.ts'
import { communityConfig } from './communities.ts'
import { followNodes } from './follow.ts'
import type { NodeInfo } from './node-info.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { type Sent, unseen } from './show.ts'
import type { CommunityTask } from './task.ts'

type CommunityPerformance = Performance<CommunityTask>

/** Makes a node for many as it was wished for, or not at all, and follows it for its maker. */
export async function performCommunity(deps: OutboxDeps, performance: CommunityPerformance): Promise<Sent | undefined> {
  const { row, session, task, begin } = performance
  await begin()
  await make(performance)
  for (const jid of task.publishers) await session.pubsub.setAffiliation(row.address, jid, 'publisher')
  return know(deps, performance)
}

async function make({ row, session, task }: CommunityPerformance): Promise<void> {
  const wanted = communityConfig(task)
  const outcome = await create({ row, session }, wanted)
  const isOurs = outcome === 'created' || (row.attempts > 0 && (await isOwn({ row, session }, task)))
  if (!isOurs)
    throw new AppError('conflict', `${row.address.service} has a community of this name. Choose another title`)
  const config = await session.pubsub.readConfig(row.address)
  const real = isConfigured(config, wanted) ? config : await session.pubsub.configureNode(row.address, wanted)
  const problem = findProblem(real, wanted)
  if (problem === undefined) return
  // Never one that is other than its maker said.
  if (outcome === 'created') await session.pubsub.deleteNode(row.address)
  throw new AppError('not-implemented', `${row.address.service} ${problem}`)
}

async function create({ row, session }: Pick<CommunityPerformance, 'row' | 'session'>, config: NodeConfig) {
  try {
    return await session.pubsub.createNode(row.address, config)
  } catch (error) {
    if (!isAppError(error, 'forbidden', 'not-implemented')) throw error
    // COMPAT(Prosody): only who runs the server may.
    const words = `${row.address.service} does not let you make communities. Ask who runs it, or choose another service`
    throw new AppError('forbidden', words, { cause: error })
  }
}

/** Whether the node is what an earlier attempt of ours has made: only its owner is told its configuration. */
async function isOwn({ row, session }: Pick<CommunityPerformance, 'row' | 'session'>, { title }: CommunityTask) {
  try {
    return (await session.pubsub.readConfig(row.address)).title === title
  } catch (error) {
    if (isAppError(error, 'forbidden')) return false
    throw error
  }
}

function findProblem({ access_model = 'open', publish_model }: NodeConfig, wanted: NodeConfig): string | undefined {
  if (access_model !== 'open') return 'does not let communities be open to everybody'
  if (publish_model !== undefined && publish_model !== wanted.publish_model) return 'does not let you say who may post'
  return undefined
}

/** Followed in any case; shown to everybody once it is seen whose it is. */
async function know(deps: OutboxDeps, { row, task }: CommunityPerformance): Promise<Sent | undefined> {
  const { state, index, clock } = deps
  const { account } = row
  const { service, node } = row.address
  const address = { service, node }
  const config = communityConfig(task)
  const { title, description, type } = config
  const seen = await seeOwned(deps, account, address)
  if (seen === undefined) {
    await followNodes(deps, account, [{ address, title: task.title }])
    return unseen(
      `${service} was asked for it, but does not show this site who owns it: only its followers see it here`,
    )
  }
  await saveCommunity(state, { address, owner: account, since: clock() })
  await addNode(index, { address, kind: 'community', now: clock() })
  const learned = seen === 'own-ground' ? { publishModel: config.publish_model, status: 'open' as const } : tellOf(seen)
  await updateNode(index, address, { title, description, type, ...learned, isWaiting: 0 })
  await followNodes(deps, account, [{ address, title: task.title }])
  return undefined
}

/** The access to a node as its service tells everybody; a model that it does not name is taken for open, as for any node. */
function tellOf({ accessModel, publishModel }: NodeInfo) {
  const isOpen = accessModel === undefined || accessModel === 'open'
  return { publishModel, accessModel, status: isOpen ? ('open' as const) : ('restricted' as const) }
}
