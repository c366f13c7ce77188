import { describeError, isAppError } from '#server/errors.ts'
import type { IndexDb } from '#server/store/database.ts'
import { type NodeRow, updateNode } from '#server/store/node.ts'
import type { Pubsub } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

export interface SubscriptionsDeps {
  readonly index: IndexDb
  readonly site: { readonly pubsub: Pick<Pubsub, 'subscribeNode' | 'unsubscribeNode' | 'listSubscriptions'> }
}

/** The site account's own. They outlive its sessions, so that each service is asked once for all of them. */
export interface Subscriptions {
  /** Subscribes where it is not yet; why it could not is returned, a server that does not answer is an AppError. */
  ensure(node: NodeRow): Promise<string | undefined>
  end(address: NodeAddress): Promise<void>
  /** Asks anew when next it is ensured. */
  doubt(address: NodeAddress): void
  /** Nothing that was said before can be relied on. */
  forget(): void
}

/** Milliseconds for which the word of a service is taken. */
const TRUSTED = 24 * 3_600_000
const PENDING = 'The subscription waits for its owner'

export interface SubscriptionsListeners {
  /** Told of a node that the site account is not subscribed to any more: what it told since may be missed. */
  readonly onLost: (address: NodeAddress) => Promise<void>
}

export function createSubscriptions(
  { index, site }: SubscriptionsDeps,
  { onLost }: SubscriptionsListeners,
): Subscriptions {
  /** By service; what is no map was not told. */
  const listed = new Map<BareJid, { readonly at: number; readonly states: Promise<Map<string, string>> }>()

  /** When each was subscribed to, which its service's list may be too old to have. */
  const made = new Map<string, number>()

  async function list(service: BareJid): Promise<Map<string, string>> {
    const known = listed.get(service)
    if (known !== undefined && !isOld(known.at)) return known.states
    const states = ask(service)
    listed.set(service, { at: performance.now(), states })
    try {
      return await states
    } catch (error) {
      listed.delete(service)
      throw error
    }
  }

  async function ask(service: BareJid): Promise<Map<string, string>> {
    try {
      const found = await site.pubsub.listSubscriptions(service)
      return new Map(found.map(({ address, state }) => [address.node, state]))
    } catch (error) {
      if (isAppError(error, 'unavailable')) throw error
      // COMPAT(Prosody 13.0.1): it does not answer an account that is subscribed to a node deleted since. Others do not
      // list them for strangers. Subscribing once more does no harm.
      return new Map()
    }
  }

  async function subscribe({ address, subscription: former }: NodeRow): Promise<string | undefined> {
    // What it sends before its answer is expected too.
    if (former === 'none') await updateNode(index, address, { subscription: 'pending' })
    try {
      const subscription = await site.pubsub.subscribeNode(address)
      await updateNode(index, address, { subscription })
      if (subscription === 'subscribed') made.set(addressKey(address), performance.now())
      return subscription === 'pending' ? PENDING : undefined
    } catch (error) {
      // One that was closed to us keeps the subscription that it had, and sends again when it opens.
      const isGone = isAppError(error, 'not-found', 'gone')
      await updateNode(index, address, { subscription: isGone ? 'none' : former })
      if (isAppError(error, 'unavailable', 'timeout')) throw error
      return describeError(error)
    }
  }

  function doubt(address: NodeAddress): void {
    made.delete(addressKey(address))
    listed.delete(address.service)
  }

  return {
    async ensure(node) {
      if (node.subscription === 'none') {
        // It may be one that was forgotten here for a while.
        await onLost(node.address)
        return subscribe(node)
      }
      const madeAt = made.get(addressKey(node.address))
      if (node.subscription === 'subscribed' && madeAt !== undefined && !isOld(madeAt)) return undefined
      const state = (await list(node.address.service)).get(node.address.node)
      if (state === 'subscribed' && node.subscription === 'subscribed') return undefined
      if (state !== 'subscribed' && node.subscription === 'subscribed') await onLost(node.address)
      return subscribe(node)
    },
    doubt,
    async end(address) {
      doubt(address)
      await site.pubsub.unsubscribeNode(address)
    },
    forget() {
      listed.clear()
      made.clear()
    },
  }
}

function isOld(at: number): boolean {
  return performance.now() - at > TRUSTED
}
