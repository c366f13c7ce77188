import type { IndexDb } from '#server/store/database.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import type { Inbox } from './inbox.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface SilenceDeps {
  readonly index: IndexDb
  readonly clock: () => Date
  readonly inbox: Pick<Inbox, 'onEvent'>
  readonly subscriptions: Pick<Subscriptions, 'doubt'>
}

const DAY = 24 * 3_600_000

/** Watches whether a node sends the events that are due to the site account, as its readings show. */
export interface SilenceWatch {
  /** The reading found so many items that are new since the reading before it. */
  note(newer: number): Promise<void>
  readonly stop: () => void
}

/**
 * Watches for events while a node is read: what is found may be on its way to us. COMPAT(ejabberd 24.12): a node with
 * `presence_based_delivery`, its default, takes the subscription of a stranger and never sends an event.
 */
export function watchSilence(deps: SilenceDeps, node: NodeRow, heardSince: Date): SilenceWatch {
  const { address, readAt, mark } = node
  // A reading still to come is of a clock that was put back since: what was heard after it is not known.
  const isKnown = readAt !== undefined && readAt <= deps.clock() && readAt >= heardSince
  const isListening = node.subscription === 'subscribed' && isKnown
  let isHeard = false
  const stop = deps.inbox.onEvent(address, () => {
    isHeard = true
  })
  return {
    stop,
    async note(newer) {
      if (!isListening || mark === undefined || isHeard || newer === 0) return
      const found = await findNode(deps.index, address)
      if (found?.subscription !== 'subscribed') return
      const now = deps.clock().getTime()
      // Retractions and edits are missed like posts.
      const deepDueAt = found.deepDueAt && Math.min(found.deepDueAt.getTime(), now + DAY)
      // Its service may only have forgotten the subscription.
      deps.subscriptions.doubt(address)
      await updateNode(deps.index, address, { unheardAt: now, deepDueAt })
    },
  }
}
