import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { FastToken, SessionOptions, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'
import { startProxy, type TcpProxy } from '#test/support/tcp-proxy.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const OPEN = { access_model: 'open', publish_model: 'open', presence_based_delivery: '0', max_items: 'max' }
const entry = () => new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })

for (const kind of ['ejabberd', 'prosody'] as const) {
  describe(`when the line to ${kind} breaks`, () => {
    let rig: Rig
    let server: RigServer
    let proxy: TcpProxy
    before(async () => {
      rig = await useRig({ own: true, resume: true, servers: [kind] })
      server = rig[kind]
      proxy = await startProxy(server.port)
    })
    after(async () => {
      await proxy.stop()
      await rig.stop()
    })

    async function open(options: Partial<SessionOptions> = {}, port = server.port) {
      const user = `juliet-${randomUUID().slice(0, 8)}`
      await server.register(user, `password of ${user}`)
      let token: FastToken | undefined
      const place = { domain: server.domain, service: `xmpp://127.0.0.1:${port}` }
      const session = openTestSession(place, user, {
        credentials: () => ({ password: `password of ${user}`, ...(token && { token }) }),
        saveToken: (saved) => {
          token = saved
        },
        ...options,
      })
      await session.whenOnline(30_000)
      return session
    }

    /** Every item that the site hears of on a node of its own, as often as it does. */
    async function listen(site: XmppSession) {
      const address = { service: site.jid, node: `urn:test:${randomUUID()}` }
      await site.pubsub.createNode(address, OPEN)
      await site.pubsub.subscribeNode(address)
      const heard: string[] = []
      site.onPubsubEvent((event) => {
        if (event.kind === 'published' && event.address.node === address.node) heard.push(event.address.item)
      })
      const publish = (session: XmppSession, id: string) =>
        session.pubsub.publishItem({ ...address, item: asItemId(id) }, entry())
      return { address, heard, publish }
    }

    async function dropAndReturn(session: XmppSession, drop: () => void | Promise<void>) {
      const seen: SessionStatus[] = []
      const stop = session.onStatus((status) => seen.push(status))
      await drop()
      await until(() => seen.includes('waiting') && seen.at(-1) === 'online')
      stop()
    }

    it('events of the meantime arrive, each as often as otherwise', async () => {
      await using site = await open({ isSite: true }, proxy.port)
      await using romeo = await open()
      const { heard, publish } = await listen(site)
      await publish(romeo, 'before')
      await until(() => heard.includes('before'))
      await dropAndReturn(site, async () => {
        proxy.pause()
        await until(() => site.status !== 'online')
        for (let n = 0; n < 20; n++) await publish(romeo, `meanwhile-${n}`)
        proxy.resume()
      })
      assert.equal(site.lastSignIn, 'resumed')
      await publish(romeo, 'after')
      await until(() => heard.includes('after'))
      // Some servers tell an owner twice, as a subscriber and as the owner.
      const times = heard.filter((id) => id === 'before').length
      assert.equal(heard.length, times * 22, `${times} times each: ${heard}`)
      assert.equal(new Set(heard).size, 22)
    })

    it('what was asked is answered, and what was published is published once, however often it breaks', async () => {
      await using site = await open({ isSite: true }, proxy.port)
      await using romeo = await open({ isSite: true })
      const { address, publish } = await listen(site)
      await romeo.pubsub.subscribeNode(address)
      const heard: string[] = []
      romeo.onPubsubEvent((event) => {
        if (event.kind === 'published') heard.push(event.address.item)
      })
      let done = 0
      const work = Array.from({ length: 200 }, async (_, n) => {
        await publish(site, `item-${n}`)
        done++
      })
      const all = Promise.all(work)
      for (let cut = 1; cut <= 3; cut++) {
        await until(() => done >= cut * 50)
        await dropAndReturn(site, () => proxy.cut())
        assert.equal(site.lastSignIn, 'resumed')
      }
      await all
      await until(() => heard.length >= 200)
      await publish(romeo, 'last')
      await until(() => heard.includes('last'))
      assert.equal(heard.length, 201)
      assert.equal(new Set(heard).size, 201)
    })

    it('the session begins anew after the server restarted, by its token, and who waited is told', async () => {
      await using site = await open({ isSite: true }, proxy.port)
      const { heard, publish } = await listen(site)
      await site.readServices()
      const asked = Promise.allSettled(Array.from({ length: 30 }, (_, n) => publish(site, `lost-${n}`)))
      await dropAndReturn(site, () => server.restart())
      for (const result of await asked) {
        if (result.status === 'rejected') assert.ok(isAppError(result.reason, 'unavailable'), String(result.reason))
      }
      assert.equal(site.lastSignIn, 'token')
      // Its caps are what they were, so what it offers is not asked again.
      const before = site.traffic?.roundTrips
      assert.equal((await site.readServices()).pep, true)
      assert.equal(site.traffic?.roundTrips, before)
      await publish(site, 'after')
      await until(() => heard.includes('after'))
    })

    it('costs fewer round trips and bytes to go on than to begin', async () => {
      await using site = await open({ isSite: true }, proxy.port)
      const begun = site.traffic
      assert.ok(begun)
      await dropAndReturn(site, () => proxy.cut())
      const resumed = site.traffic
      assert.ok(resumed)
      assert.equal(site.lastSignIn, 'resumed')
      const cost = {
        roundTrips: resumed.roundTrips - begun.roundTrips,
        bytes: resumed.bytesIn + resumed.bytesOut - begun.bytesIn - begun.bytesOut,
      }
      // Connection, stream, TLS in two, stream, and one for sign-in and resumption.
      assert.equal(cost.roundTrips, 6)
      assert.ok(cost.bytes < begun.bytesIn + begun.bytesOut, JSON.stringify({ begun, cost }))
    })
  })
}
