import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

interface OpenedNode {
  readonly address: NodeAddress
  /** Asking again tells nothing new until something is added to the node, or it is opened again. */
  isResting: boolean
}

/** The nodes on the pages that each person opened last. */
export interface OpenedNodes {
  add(jid: BareJid, address: NodeAddress): void
  rest(jid: BareJid, address: NodeAddress): void
  /** Something new is on it. Returns those who opened it. */
  wake(address: NodeAddress): BareJid[]
  /** Without those that rest. */
  list(jid: BareJid): NodeAddress[]
  /** Forgets those of everybody else. */
  keep(people: ReadonlySet<BareJid>): void
}

/** Nodes kept for one person; each costs a request an hour. */
const MOST = 50

export function createOpenedNodes(): OpenedNodes {
  const people = new Map<BareJid, Map<string, OpenedNode>>()

  return {
    add(jid, { service, node }) {
      const opened = people.get(jid) ?? new Map<string, OpenedNode>()
      people.set(jid, opened)
      const key = addressKey({ service, node })
      // At the end, as the newest.
      opened.delete(key)
      opened.set(key, { address: { service, node }, isResting: false })
      for (const oldest of opened.keys()) if (opened.size > MOST) opened.delete(oldest)
    },
    rest(jid, { service, node }) {
      const found = people.get(jid)?.get(addressKey({ service, node }))
      if (found !== undefined) found.isResting = true
    },
    wake({ service, node }) {
      const key = addressKey({ service, node })
      const woken: BareJid[] = []
      for (const [jid, opened] of people) {
        const found = opened.get(key)
        if (found === undefined) continue
        found.isResting = false
        woken.push(jid)
      }
      return woken
    },
    list: (jid) =>
      [...(people.get(jid)?.values() ?? [])].flatMap(({ address, isResting }) => (isResting ? [] : address)),
    keep(present) {
      for (const jid of people.keys()) if (!present.has(jid)) people.delete(jid)
    },
  }
}
