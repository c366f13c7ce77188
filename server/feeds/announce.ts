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
export async function announceChanged(deps: AnnounceDeps, node: NodeRow): Promise<void> {
  for (const topic of await listTopics(deps, node)) deps.live.publish(topic, { kind: 'changed' })
}

/** To pages of those alone who may be shown the node. */
export async function announcePermitted(deps: AnnounceDeps, node: NodeRow): Promise<void> {
  const { address } = node
  for (const topic of await listTopics(deps, node)) deps.live.publish(topic, { kind: 'permitted', address })
}

/** Topics of the pages that show what is on a node. */
async function listTopics({ index }: AnnounceDeps, node: NodeRow): Promise<string[]> {
  if (isFeed(node)) return [blogTopic(node.address), POSTS_TOPIC]
  const reacted = readAttachmentsNode(node.address)
  const posts = reacted === undefined ? await listPostsOfThread(index, node.address) : [reacted]
  return posts.map(postTopic)
}

function announcePost(
  { live }: AnnounceDeps,
  address: ItemAddress,
  kind: 'post-added' | 'post-changed' | 'post-removed',
): void {
  // The permits of a restricted feed end before any page hears of it.
  for (const topic of [POSTS_TOPIC, blogTopic(address), postTopic(address)]) live.publish(topic, { kind, address })
}

async function announceComment(
  { index, live }: AnnounceDeps,
  address: ItemAddress,
  kind: 'comment-added' | 'comment-changed' | 'comment-removed',
): Promise<void> {
  const reacted = readAttachmentsNode(address)
  if (reacted !== undefined) {
    const event: LiveEvent = { kind: 'reaction-changed', address: reacted }
    for (const topic of [CONVERSATIONS_TOPIC, postTopic(reacted)]) live.publish(topic, event)
    return
  }
  const posts = await listPostsOfThread(index, address)
  live.publish(CONVERSATIONS_TOPIC, { kind, address })
  for (const post of posts) live.publish(postTopic(post), { kind, address })
}
