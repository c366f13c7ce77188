import type { Disco, Pubsub, XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

/** Does what is asked of a service, or something else before. */
export type Around = <T>(service: BareJid, ask: () => Promise<T>) => Promise<T>

/** The session with something done around each of its questions (PubSub and disco); pages are one question each. */
export function aroundPubsub(session: XmppSession, around: Around): XmppSession {
  const target = session.pubsub
  const pubsub = new Proxy(target, {
    get(_, name: keyof Pubsub) {
      const method = target[name] as (...args: unknown[]) => unknown
      if (name === 'pages' || name === 'allItems') {
        return (...args: unknown[]) =>
          pagesAround(around, serviceOf(args[0]), method(...args) as AsyncIterable<unknown>)
      }
      return (...args: unknown[]) => around(serviceOf(args[0]), async () => method(...args))
    },
  })
  const disco: Disco = {
    readInfo: (jid, node) => around(jid as BareJid, () => session.disco.readInfo(jid, node)),
    listItems: (jid, node, options) => around(jid as BareJid, () => session.disco.listItems(jid, node, options)),
  }
  return new Proxy(session, {
    get: (from, name) => (name === 'pubsub' ? pubsub : name === 'disco' ? disco : Reflect.get(from, name)),
  })
}

async function* pagesAround(around: Around, service: BareJid, pages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const iterator = pages[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await around(service, () => iterator.next())
    if (done) return
    yield value
  }
}

function serviceOf(where: unknown): BareJid {
  return typeof where === 'string' ? (where as BareJid) : (where as NodeAddress).service
}

/** In steps, not in time. */
export interface AskedRequest {
  readonly service: BareJid
  readonly from: number
  /** Undefined while nobody answered. */
  to: number | undefined
}

/** A session that writes down when it was asked what, and when it had its answer. */
export function recorded(session: XmppSession, requests: AskedRequest[]): XmppSession {
  let step = 0
  return aroundPubsub(session, async (service, ask) => {
    const request: AskedRequest = { service, from: step++, to: undefined }
    requests.push(request)
    try {
      return await ask()
    } finally {
      request.to = step++
    }
  })
}
