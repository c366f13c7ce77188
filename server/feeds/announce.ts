import type { IndexDb } from '#server/store/database.ts'
import { isFeed, type NodeRow } from '#server/store/node.ts'
import { listPostsOfThread } from '#server/store/thread-node.ts'
import type { ItemAddress } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { readAttachmentsNode } from '#shared/profiles/index.ts'
import { blogTopic, CONVERSATIONS_TOPIC, type Live, type LiveEvent, POSTS_TOPIC, postTopic } from './live.ts'

interface AnnounceDeps {
  readonly index: IndexDb
  readonly live: Live
}

export async function announceSaved(
  deps: AnnounceDeps,
  node: NodeRow,
  { address, isNew, isHeld = false }: { address: ItemAddress; isNew: boolean; isHeld?: boolean },
): Promise<void> {
  if (isHeld) {
    // No page shows it.
    deps.live.publish(CONVERSATIONS_TOPIC, { kind: isNew ? 'comment-added' : 'comment-changed', address })
  } else if (node.kind === 'room') {
    // Whoever took it in knows which pages show it.
    deps.live.publish(CONVERSATIONS_TOPIC, { kind: isNew ? 'comment-added' : 'comment-changed', address })
  } else if (!isFeed(node)) {
    await announceComment(deps, address, isNew ? 'comment-added' : 'comment-changed')
  } else if (address.item === METADATA_ITEM) {
    deps.live.publish(blogTopic(node.address), { kind: 'changed' })
  } else {
    announcePost(deps, address, isNew ? 'post-added' : 'post-changed')
  }
}

export async function announceRemoved(deps: AnnounceDeps, node: NodeRow, address: ItemAddress): Promise<void> {
  if (!isFeed(node)) await announceComment(deps, address, 'comment-removed')
  else announcePost(deps, address, 'post-removed')
}

/** The node lost everything at once, or its first page came: no single post of it is news. */
export async function announceChanged({ index, live }: AnnounceDeps, node: NodeRow): Promise<void> {
  if (isFeed(node)) {
    for (const topic of [blogTopic(node.address), POSTS_TOPIC]) live.publish(topic, { kind: 'changed' })
    return
  }
  const reacted = readAttachmentsNode(node.address)
  const posts = reacted === undefined ? await listPostsOfThread(index, node.address) : [reacted]
  for (const post of posts) live.publish(postTopic(post), { kind: 'changed' })
}

function announcePost(
  { live }: AnnounceDeps,
  address: ItemAddress,
  kind: 'post-added' | 'post-changed' | 'post-removed',
): void {
  for (const topic of [blogTopic(address), postTopic(address), POSTS_TOPIC]) live.publish(topic, { kind, address })
}

async function announceComment(
  { index, live }: AnnounceDeps,
  address: ItemAddress,
  kind: 'comment-added' | 'comment-changed' | 'comment-removed',
): Promise<void> {
  const reacted = readAttachmentsNode(address)
  if (reacted !== undefined) {
    const event: LiveEvent = { kind: 'reaction-changed', address: reacted }
    for (const topic of [postTopic(reacted), CONVERSATIONS_TOPIC]) live.publish(topic, event)
    return
  }
  for (const post of await listPostsOfThread(index, address)) live.publish(postTopic(post), { kind, address })
  live.publish(CONVERSATIONS_TOPIC, { kind, address })
}
