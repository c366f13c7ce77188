import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import type { SessionStatus } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import { useRig } from '#test/support/rig.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const OPEN = { access_model: 'open' }
const entry = () => new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })

describe('when a WebSocket to ejabberd breaks', () => {
  it('the session goes on over another', async () => {
    await using rig = await useRig({ own: true, resume: true, servers: ['ejabberd'] })
    const url = new URL(rig.ejabberd.webSocket ?? '')
    await using proxy = await startProxy(Number(url.port))
    url.port = String(proxy.port)
    await rig.ejabberd.register('juliet', 'password of juliet')
    await using session = openTestSession({ domain: rig.ejabberd.domain, service: url.href }, 'juliet')
    await session.whenOnline(30_000)
    const address = { service: session.jid, node: 'urn:test:1' }
    await session.pubsub.createNode(address, OPEN)
    const seen: SessionStatus[] = []
    session.onStatus((status) => seen.push(status))
    const work = Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        session.pubsub.publishItem({ ...address, item: asItemId(`item-${n}`) }, entry()),
      ),
    )
    proxy.cut()
    await until(() => seen.includes('waiting') && seen.at(-1) === 'online')
    await work
    assert.equal(session.lastSignIn, 'resumed')
  })
})
