import type { Element } from 'ltx'
import type { Entry } from '../entry.ts'

/** Node configuration: field names without `pubsub#`, booleans as `1` and `0`. */
export type NodeConfig = Readonly<Record<string, string>>

export type ProfileName = 'microblog' | 'comments' | 'base' | 'gallery' | 'attachments' | 'room'

/** A kind of node (XEP-0472): everything that the product knows about it. */
export interface Profile {
  readonly name: ProfileName
  /** What the node announces as `pubsub#type`, where XEP-0472 has a word for it. */
  readonly type?: string
  matchesNode(node: string): boolean
  /** Whether an item looks like one of this kind: the last resort, for payloads are much alike. */
  matchesPayload(payload: Element): boolean
  /** What Canto asks for when it makes such a node. */
  readonly config: NodeConfig
  readEntry(payload: Element): Entry | undefined
  /** The template in `web/entries/`. */
  readonly template: string
}

/** What every node of Canto's is made with (design, "On the wire"). */
export const BASE_CONFIG: NodeConfig = {
  persist_items: '1',
  max_items: 'max',
  access_model: 'open',
  presence_based_delivery: '0',
  send_last_published_item: 'never',
  itemreply: 'publisher',
  notify_retract: '1',
  notify_delete: '1',
  deliver_payloads: '1',
}
