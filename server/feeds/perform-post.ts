import type { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { deleteDraft, findDraft } from '#server/store/draft.ts'
import { findPost } from '#server/store/post.ts'
import type { Item } from '#server/xmpp/ports.ts'
import { type NodeAddress, sameAddress } from '#shared/address.ts'
import { type Entry, readEntry, writeEntry } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { postPath } from '#shared/paths.ts'
import { writeRoomLink } from '#shared/room-link.ts'
import { isWithinBounds, parseXml } from '#shared/xml.ts'
import { requireNotBlocked } from './blocks.ts'
import { blogOf } from './blog-of.ts'
import { createCommentsNode } from './comments-node.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { forgetPrepared, prepare } from './prepare.ts'
import { nameOf, publish } from './publish.ts'
import { createAttachmentsNode, mayMakeAttachments } from './reactions/attachments-node.ts'
import { findChannel } from './rooms/link-posts.ts'
import { type Sent, showPublished } from './show.ts'
import { type PostTask, saveTask } from './task.ts'

type PostPerformance = Performance<PostTask>

/** Publishes a post or an edit, unless the node has it, or something newer, already. */
export async function performPost(deps: OutboxDeps, performance: PostPerformance): Promise<Sent | undefined> {
  const { session, row, task } = performance
  await requireNotBlocked(deps, row, 'You are blocked in this community. Your text is kept as a draft')
  const isBlog = sameAddress(blogOf(row.account), { service: row.address.service, node: row.address.node })
  if (isBlog) await prepare(deps, session)
  const mustRead = row.attempts > 0 || task.base !== undefined
  const found = mustRead ? await session.pubsub.findItem(row.address) : undefined
  const verdict = compare(deps, performance, found)
  const payload = verdict === 'publish' ? await publishPost(deps, performance, found?.payload) : found?.payload
  const item = { id: row.address.item, payload, publisher: found?.publisher ?? row.account }
  const sent = await showPublished(deps, { session, row, address: row.address }, item)
  await endDraft(deps, performance)
  return sent
}

/** What was typed since the form was sent is a draft still. */
async function endDraft({ state }: OutboxDeps, { row, task }: PostPerformance): Promise<void> {
  const { draft, draftId } = task
  const kept = await findDraft(state, row.account, draftId)
  const isSent = kept?.text === draft.text && kept.title.trim() === draft.title && kept.summary.trim() === draft.summary
  if (isSent) await deleteDraft(state, row.account, draftId)
}

/** A newer version wins over ours; one that is neither ours nor what ours was made from is not written over. */
function compare({ clock }: OutboxDeps, { row, task }: PostPerformance, found: Item | undefined): 'publish' | 'done' {
  const isEdit = task.base !== undefined
  const isFirst = row.attempts === 0
  if (found === undefined) {
    if (isEdit && isFirst) throw new AppError('gone', 'The post was deleted meanwhile. Your text is kept as a draft')
    return 'publish'
  }
  const updated = readUpdated(found)
  // A date still to come says nothing about what came first.
  if (updated === undefined || updated > clock()) return 'publish'
  if (updated.getTime() === Date.parse(task.updated)) return 'done'
  const isForeign = isEdit ? updated > new Date(task.base) : false
  if (isForeign && isFirst) {
    throw new AppError('conflict', 'The post was changed elsewhere meanwhile. Your text is kept as a draft')
  }
  return updated > new Date(task.updated) ? 'done' : 'publish'
}

function readUpdated({ payload }: Item): Date | undefined {
  return readOwn(payload)?.updated
}

function readOwn(payload: Element | undefined): Entry | undefined {
  return payload !== undefined && isWithinBounds(payload) ? readEntry(payload) : undefined
}

async function publishPost(
  deps: OutboxDeps,
  performance: PostPerformance,
  found: Element | undefined,
): Promise<Element> {
  const { session, row, task, begin } = performance
  await begin()
  const original = task.base === undefined ? undefined : (found ?? (await findIndexed(deps, performance)))
  const before = readOwn(original)
  // What people say about a repost is with its original.
  const isRepost = task.draft.repost !== undefined || before?.via !== undefined
  const comments = isRepost ? task.draft.repost?.comments : await chooseComments(deps, performance, before?.comments)
  if (!isRepost && (await mayMakeAttachments(deps.state, row.account, row.address))) {
    await createAttachmentsNode(session, row.address)
  }
  const published = new Date(task.published)
  const written = writeEntry({
    draft: task.draft,
    address: row.address,
    author: { jid: row.account, name: await nameOf(deps, row.account) },
    atomId: createTagUri(row.account, published, row.address.item),
    published,
    updated: new Date(task.updated),
    alternate: alternateOf(deps, row.address),
    comments,
    original,
  })
  const payload =
    row.address.service === row.account ? writeRoomLink(written, await findChannel(deps, row.address)) : written
  try {
    await publish(performance, payload)
  } catch (error) {
    if (row.address.service !== row.account) throw explainRefusal(error)
    if (!isAppError(error, 'not-found')) throw error
    // The node itself went away since it was prepared.
    forgetPrepared(session)
    await prepare(deps, session)
    await publish(performance, payload)
  }
  return payload
}

/** What a community's service said, for who wrote there. */
function explainRefusal(error: unknown): unknown {
  if (isAppError(error, 'forbidden')) {
    return new AppError('forbidden', 'This community does not let you post. Your text is kept as a draft', {
      cause: error,
    })
  }
  if (!isAppError(error, 'not-found', 'gone')) return error
  return new AppError('gone', 'This community is not there any more. Your text is kept as a draft', { cause: error })
}

async function findIndexed({ index }: OutboxDeps, { row }: PostPerformance): Promise<Element | undefined> {
  const post = await findPost(index, row.address, 'restricted')
  return post === undefined || post === 'gone' ? undefined : parseXml(post.payload)
}

/** The page of an item; none while the site has no address that others can reach. */
export function alternateOf(
  { config, siteDomain }: Pick<OutboxDeps, 'config' | 'siteDomain'>,
  address: Parameters<typeof postPath>[1],
): string | undefined {
  return config.isUrlSet ? new URL(postPath({ domain: siteDomain }, address), config.url).href : undefined
}

/** Made before the post, so that nobody who hears of the post finds no place to answer; remembered at once. */
async function chooseComments(
  deps: OutboxDeps,
  { session, row, task }: PostPerformance,
  existing: NodeAddress | undefined,
): Promise<NodeAddress | undefined> {
  if (!task.draft.comments || existing !== undefined) return undefined
  if (task.comments !== undefined) return task.comments ?? undefined
  const comments = await createCommentsNode(session, {
    author: row.account,
    post: row.address,
    siteDomain: deps.siteDomain,
    services: deps.services,
    title: task.draft.title,
    random: () => crypto.randomUUID().slice(0, 4),
  })
  if (comments === undefined) deps.log.warn(`No server lets ${row.account} make a node for comments`)
  await saveTask(deps.state, row, { ...task, comments: comments ?? null })
  return comments
}
