import { Element } from 'ltx'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { Ask } from './requests.ts'

/** Milliseconds for which an answer is good: it is asked for with every node that is read. */
const FRESH = 10_000

export interface Roster {
  /** Contacts whose presence the account gets (RFC 6121 §2.1.2.5: `to` and `both`). */
  readContacts(): Promise<ReadonlySet<BareJid>>
}

export function createRoster(ask: Ask): Roster {
  let known: { readonly at: number; readonly contacts: Promise<ReadonlySet<BareJid>> } | undefined
  return {
    readContacts() {
      if (known !== undefined && performance.now() - known.at < FRESH) return known.contacts
      const asked = { at: performance.now(), contacts: read(ask) }
      known = asked
      asked.contacts.catch(() => {
        if (known === asked) known = undefined
      })
      return asked.contacts
    },
  }
}

async function read(ask: Ask): Promise<ReadonlySet<BareJid>> {
  const answer = await ask('get', undefined, new Element('query', { xmlns: NS.ROSTER }))
  const items = answer.getChild('query', NS.ROSTER)?.getChildren('item') ?? []
  return new Set(
    items.flatMap(({ attrs }) =>
      attrs.subscription === 'to' || attrs.subscription === 'both' ? (readBareJid(String(attrs.jid)) ?? []) : [],
    ),
  )
}
