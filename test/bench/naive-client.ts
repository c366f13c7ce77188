import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { beginConversation } from '#server/xmpp/conversation.ts'
import { createDisco, findServices } from '#server/xmpp/disco.ts'
import type { Traffic } from '#server/xmpp/ports.ts'
import { createPubsub } from '#server/xmpp/pubsub.ts'
import { authenticate } from '#server/xmpp/sasl.ts'
import { OWN } from '#server/xmpp/stanza-bounds.ts'
import { connectStream } from '#server/xmpp/stream.ts'
import { readService } from '#server/xmpp/targets.ts'
import { createTraffic } from '#server/xmpp/traffic.ts'
import type { NodeAddress } from '#shared/address.ts'
import { jidOf } from '#test/support/context.ts'
import type { RigServer } from '#test/support/rig.ts'

/** What a client spends that keeps nothing: it signs in in full, asks what there is, and fetches all of it. */
export async function fetchNaively(server: RigServer, user: string, nodes: readonly NodeAddress[]): Promise<Traffic> {
  const jid = jidOf(`${user}@${server.domain}`)
  const traffic = createTraffic()
  const options = { jid, target: readService(server.service), traffic, boundsFrom: () => OWN }
  const stream = await connectStream(options, AbortSignal.timeout(30_000))
  await stream.open()
  await stream.send(new Element('starttls', { xmlns: 'urn:ietf:params:xml:ns:xmpp-tls' }))
  await stream.next()
  await stream.startTls()
  await authenticate(stream, await stream.open(), user, `password of ${user}`)
  await stream.open()
  const bind = new Element('iq', { type: 'set', id: randomUUID() })
  bind.c('bind', { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' })
  await stream.send(bind)
  await stream.next()
  const bound = { fullJid: `${jid}/naive` }
  const { ask } = beginConversation(stream, bound, { jid, isSite: true, traffic, onMessage: () => {} })
  const disco = createDisco(ask)
  const { services } = await findServices(jid, disco)
  const pubsub = createPubsub({ own: jid, ask, disco, readServices: async () => services })
  await Promise.all(nodes.map((node) => pubsub.listItems(node)))
  const spent = { ...traffic }
  await stream.close()
  return spent
}
