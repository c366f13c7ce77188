import { AppError, isAppError } from '#server/errors.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { isOwnGround } from '../belief.ts'
import { askNodeInfo } from '../node-info.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { type Sent, unseen, waitFor } from '../show.ts'
import { requireSite } from '../site-session.ts'
import { type CloseThreadTask, saveTask } from '../task.ts'
import { setClosed } from './close-thread.ts'

type ClosePerformance = Performance<CloseThreadTask>

/** Lets only its owner write on the comments node of a post, or everybody again: as the newest wish is. */
export async function performCloseThread(deps: OutboxDeps, performance: ClosePerformance): Promise<Sent | undefined> {
  const { task, begin } = performance
  if (task.isAsked === true) return askToClose(deps, performance)
  const wanted = (await findClosedThread(deps.state, task.post)) === undefined ? 'open' : 'publishers'
  await begin()
  try {
    await configure(performance, wanted)
  } catch (error) {
    if (!isAppError(error, 'not-found', 'gone')) throw error
  }
  return undefined
}

async function configure({ session, row }: ClosePerformance, wanted: string): Promise<void> {
  const { publish_model = wanted } = await session.pubsub.configureNode(row.address, { publish_model: wanted })
  if (publish_model !== wanted) throw new AppError('not-implemented', 'Your server leaves its comments as they are')
}

/** Does here what somebody asks for only once the site account sees that the node has become so. */
async function askToClose(deps: OutboxDeps, performance: ClosePerformance): Promise<Sent | undefined> {
  const { session, row, task, begin } = performance
  const { service } = row.address
  const closing = { by: row.account, post: task.post, isClosed: task.isClosed === true }
  const wanted = closing.isClosed ? 'publishers' : 'open'
  const before = task.before === undefined ? await readPublishModel(deps, performance) : task.before
  if (task.before === undefined) await saveTask(deps.state, row, { ...task, before })
  await begin()
  await configure(performance, wanted)
  if (await isOwnGround(deps, session.jid, service)) return void (await setClosed(deps, closing))
  if (before === null) {
    return unseen(`${service} was asked for it, but does not show this site who may comment: nothing changes here`)
  }
  // That shows nothing of whether the service did as it was asked.
  if (before === wanted) return unseen(`It was so at ${service} before it was asked for: nothing changes here`)
  if ((await readPublishModel(deps, performance)) !== wanted)
    return waitFor(deps, { row, address: row.address }, 'It is so here once this site sees that it is so there')
  return void (await setClosed(deps, closing))
}

async function readPublishModel(deps: OutboxDeps, { row }: ClosePerformance): Promise<string | null> {
  return (await askNodeInfo(requireSite(deps).disco, row.address))?.publishModel ?? null
}
