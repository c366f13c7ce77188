import { client } from '@xmpp/client'
import type { Element } from 'ltx'
import { type BareJid, domainOf } from '#shared/jid.ts'
import type { Target } from './targets.ts'
import type { Counters } from './traffic.ts'

/**
 * The library's connection, of which only its streams are used. What it would do on them by itself is done in this
 * room instead: it reconnects blindly, follows see-other-host anywhere, and trusts any answer that has the right id.
 */
export function createEntity(jid: BareJid, target: Target, traffic: Counters) {
  const entity = client({ service: target.url, domain: domainOf(jid) })
  entity.removeAllListeners()
  entity._onSeeOtherHost = (error) => entity.emit('error', error)
  if (target.security !== 'websocket') entity.socketParameters = () => ({ host: target.host, port: target.port })
  // The library takes any WebSocket on loopback for secure.
  const isSecure = () => (target.security === 'websocket' ? target.url.startsWith('wss:') : entity.isSecure())
  const headerElement = (entity as unknown as { headerElement(): Element }).headerElement.bind(entity)
  const write = entity.write.bind(entity)
  Object.assign(entity, {
    timeout: 0,
    write(text: string) {
      if (entity.socket) traffic.bytesOut += Buffer.byteLength(text)
      return write(text)
    },
    headerElement: () => {
      const header = headerElement()
      // FAST is offered only to a named account, and a name may only be told under TLS.
      if (isSecure()) header.attrs.from = jid
      return header
    },
  })
  return { entity, isSecure }
}
