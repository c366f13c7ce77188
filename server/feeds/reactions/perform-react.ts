import { AppError, isAppError } from '#server/errors.ts'
import { addNode, findNode, isRead, updateNode } from '#server/store/node.ts'
import { listOutboxOf } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { listSources } from '#server/store/reaction.ts'
import type { Item } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress, sameAddress } from '#shared/address.ts'
import { writeComment } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { readBareJid } from '#shared/jid.ts'
import { HEART, readReactions, writeReaction } from '#shared/reactions.ts'
import { readAccess } from '../access.ts'
import { isOwnGround } from '../belief.ts'
import { requireNotBlocked } from '../blocks.ts'
import { findNodeAgain } from '../lose-node.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { nameOf, publish } from '../publish.ts'
import { queue } from '../queue-row.ts'
import { type Sent, showPublished } from '../show.ts'
import { requireSite } from '../site-session.ts'
import { type ReactTask, readTask, saveTask } from '../task.ts'
import { createAttachmentsNode, makesAttachments } from './attachments-node.ts'

type ReactPerformance = Performance<ReactTask>

const REFUSALS = ['forbidden', 'not-found', 'not-implemented', 'gone'] as const

/**
 * Attaches an emoji to a post, or takes it back, where the post has a node for that (XEP-0470); else a heart is a
 * comment, as Movim's.
 */
export async function performReact(deps: OutboxDeps, performance: ReactPerformance): Promise<Sent | undefined> {
  const { row, task } = performance
  await requireNotBlocked(deps, { account: row.account, address: task.post }, 'You are blocked here')
  // A later wish about the same emoji waits: it is the one that counts.
  if (await isOvertaken(deps, performance)) return undefined
  const attached = await attach(deps, performance)
  if (!task.isOn && task.emoji === HEART) await removeHearts(deps, performance)
  if (!task.isOn || attached !== 'impossible') return attached === 'impossible' ? undefined : attached
  if (task.emoji !== HEART) throw new AppError('forbidden', `This post takes no other reactions than ${HEART}`)
  return publishHeart(deps, performance)
}

async function isOvertaken({ state }: OutboxDeps, { row, task }: ReactPerformance): Promise<boolean> {
  const rows = await listOutboxOf(state, row.address)
  return rows.some((other) => {
    if (other.id <= row.id || other.account !== row.account || other.status !== 'waiting') return false
    const wish = readTask(other)
    return wish.kind === 'react' && wish.emoji === task.emoji
  })
}

/** `impossible` where the post has no node for that, or its service refuses. */
async function attach(
  deps: OutboxDeps,
  { session, row, task, begin }: ReactPerformance,
): Promise<Sent | undefined | 'impossible'> {
  const { address, account } = row
  try {
    const found = await findOwn({ session, row, task })
    if (found === 'no-node') return 'impossible'
    const former = found?.payload
    const payload = writeReaction(former, { ...task, now: new Date(task.at) })
    const isThere = former !== undefined && readReactions(former)?.emoji.includes(task.emoji) === true
    if (isThere === task.isOn) {
      return found && (await learn(deps, { session, row, post: task.post, item: found }))
    }
    await begin()
    await publish({ session, row }, payload)
    const item = { id: address.item, payload, publisher: account }
    return await learn(deps, { session, row, post: task.post, item })
  } catch (error) {
    if (!isAppError(error, ...REFUSALS)) throw error
    return 'impossible'
  }
}

type Place = Pick<ReactPerformance, 'session' | 'row' | 'task'>

/** One's own item; without payload where there is none, or what is there was put there by another. */
async function findOwn({ session, row, task }: Place): Promise<Item | undefined | 'no-node'> {
  const { address, account } = row
  const found = await session.pubsub.findItem(address).catch((error: unknown) => {
    if (isAppError(error, ...REFUSALS)) return undefined
    throw error
  })
  if (found !== undefined) {
    // COMPAT(Prosody 13): anybody may overwrite the items of others in an open node.
    const isOwn = found.publisher === undefined || readBareJid(found.publisher) === account
    return isOwn ? found : undefined
  }
  return (await hasNode({ session, row, task })) ? undefined : 'no-node'
}

/** Publishing makes a node where there is none on some services, and then it is the reactor's: so it is looked for. */
async function hasNode({ session, row, task }: Place): Promise<boolean> {
  try {
    await session.pubsub.listItems(row.address, { max: 1 })
    return true
  } catch (error) {
    if (!isAppError(error, ...REFUSALS)) throw error
  }
  if (task.post.service === row.account) return createAttachmentsNode(session, task.post)
  return makesAttachments(session, task.post.service)
}

interface Known extends Pick<ReactPerformance, 'session' | 'row'> {
  readonly post: ItemAddress
  readonly item: Item
}

/** The node is there, whatever the index knew of it; whether it is open is seen when it is read. */
async function learn(deps: OutboxDeps, { session, row, post, item }: Known): Promise<Sent | undefined> {
  const { address } = row
  const now = deps.clock()
  const owner = (await findNode(deps.index, post))?.owner
  await addNode(deps.index, { address, kind: 'attachments', owner, now })
  const node = await findNode(deps.index, address)
  if (node !== undefined && !isRead(node) && (await isOwnGround(deps, session.jid, address.service))) {
    await findNodeAgain(deps, address, await readAccess({ ...deps, site: requireSite(deps) }, node))
    await updateNode(deps.index, address, { problem: null })
  }
  deps.indexing?.watch(address)
  return showPublished(deps, { session, row, address }, item)
}

async function publishHeart(
  deps: OutboxDeps,
  { session, row, task, begin }: ReactPerformance,
): Promise<Sent | undefined> {
  const { account } = row
  const post = await findPost(deps.index, task.post, 'restricted')
  if (post === undefined || post === 'gone' || post.comments === undefined)
    throw new AppError('forbidden', 'This post takes no reactions')
  const known = await listSources(deps.index, { post: task.post, reactor: account, emoji: HEART })
  if (known.some((source) => !sameAddress(source, row.address) && source.item !== task.heart)) return undefined
  const address = { ...post.comments, item: task.heart }
  const published = new Date(task.at)
  const found = row.attempts > 0 ? await session.pubsub.findItem(address) : undefined
  const atomId = createTagUri(account, published, address.item)
  const author = { jid: account, name: await nameOf(deps, account) }
  const comment = { text: HEART, address, author, published, inReplyTo: task.post, answeredId: post.atomId, atomId }
  const payload = found?.payload ?? writeComment(comment)
  if (found === undefined) {
    await begin()
    try {
      await publish({ session, row: { ...row, address } }, payload)
    } catch (error) {
      if (!isAppError(error, ...REFUSALS)) throw error
      throw new AppError('forbidden', 'The blog does not take reactions from you here', { cause: error })
    }
  }
  return showPublished(deps, { session, row, address }, { id: address.item, payload, publisher: account })
}

/** One's own comments of one heart; what the server forbids is asked of the post's owner. */
async function removeHearts(deps: OutboxDeps, { row, task }: ReactPerformance): Promise<void> {
  const { account } = row
  const sources = await listSources(deps.index, { post: task.post, reactor: account, emoji: HEART })
  for (const address of sources.filter((source) => !sameAddress(source, row.address))) {
    const key = `heart ${row.id} ${addressKey(address)}`
    const removal = await queue(deps, { kind: 'remove-comment' }, { account, address, key })
    await saveTask(deps.state, row, { ...task, forwardedTo: removal.id })
  }
}
