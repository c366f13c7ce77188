import { addressKey, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

export type LiveEvent =
  | { readonly kind: 'post-added' | 'post-changed' | 'post-removed'; readonly address: ItemAddress }
  | { readonly kind: 'comment-added' | 'comment-changed' | 'comment-removed'; readonly address: ItemAddress }
  /** On the topic `blocked`: somebody who is shut out by another published this all the same. */
  | { readonly kind: 'blocked'; readonly address: ItemAddress; readonly by: BareJid; readonly payload: string }
  /** Somebody reacted to a post, or took it back. */
  | { readonly kind: 'reaction-changed'; readonly address: ItemAddress }
  /** On `personTopic`: something is new for them, or was read. */
  | { readonly kind: 'notified' }
  /** On `roomTopic`: somebody came or went. */
  | { readonly kind: 'participants-changed' }
  /** Somebody may be shown a restricted node now, or no longer. */
  | { readonly kind: 'permitted'; readonly address: NodeAddress }
  /** More than one thing at once. */
  | { readonly kind: 'changed' }
  /** On the topic `nodes`: a comments node that a post links to, or one that no post links to any more. */
  | { readonly kind: 'node-added' | 'node-dropped'; readonly address: NodeAddress }

export type LiveListener = (event: LiveEvent) => void

/** Tells whoever listens in this process what has just changed in the index. */
export interface Live {
  publish(topic: string, event: LiveEvent): void
  /** Returns the way to stop. */
  subscribe(topic: string, listener: LiveListener): () => void
}

/** What happens under a post: itself and its comments. */
export function postTopic({ service, node, item }: ItemAddress): string {
  return `post:${addressKey({ service, node, item })}`
}

/** What happens on a blog: its posts. */
export function blogTopic({ service, node }: NodeAddress): string {
  return `blog:${addressKey({ service, node })}`
}

/** What is new for somebody who is signed in. */
export function personTopic(jid: BareJid): string {
  return `person:${jid}`
}

/** What happens in a MIX channel. */
export function roomTopic(channel: BareJid): string {
  return `room:${channel}`
}

/** Every comment, room message and reaction anywhere, by the address of the item that says so; also those held back. */
export const CONVERSATIONS_TOPIC = 'conversations'

/** Every post of any blog. */
export const POSTS_TOPIC = 'posts'

/** The rooms of the site: one was opened or closed. */
export const ROOMS_TOPIC = 'rooms'

/** What is not taken in, as its publisher is shut out. */
export const BLOCKED_TOPIC = 'blocked'

/** The comments nodes that come and go with the posts. */
export const NODES_TOPIC = 'nodes'

export function createLive(): Live {
  const topics = new Map<string, Set<LiveListener>>()
  return {
    publish(topic, event) {
      for (const listener of [...(topics.get(topic) ?? [])]) listener(event)
    },
    subscribe(topic, listener) {
      const listeners = topics.get(topic) ?? new Set()
      // Wrapped, so that one function may listen twice.
      const own: LiveListener = (event) => listener(event)
      topics.set(topic, listeners.add(own))
      return () => {
        listeners.delete(own)
        if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic)
      }
    },
  }
}
