import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { asItemId } from '#shared/address.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { startSlixmpp } from '#test/support/slixmpp.ts'
import { openTestSession } from '#test/support/test-session.ts'

describe("a person's session beside their chat client", () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  for (const kind of ['ejabberd', 'prosody'] as const) {
    async function register(name: string) {
      const user = `${name}-${randomUUID().slice(0, 8)}`
      await rig[kind].register(user, `password of ${user}`)
      const { domain, service, certificate } = rig[kind]
      return { user, slixmpp: { jid: `${user}@${domain}`, password: `password of ${user}`, service, certificate } }
    }

    it(`takes no message from it on ${kind}, however late it comes online`, async () => {
      const juliet = await register('juliet')
      const romeo = await register('romeo')
      await using session = openTestSession(rig[kind], juliet.user)
      await session.whenOnline(30_000)
      await session.readServices()
      await using nurse = await startSlixmpp(romeo.slixmpp)
      await nurse.presence()
      const bodies = ['one', 'two 日本語', 'three 🎭']
      for (const body of bodies) await nurse.message(juliet.slixmpp.jid, body)
      const address = { service: session.jid, node: 'urn:xmpp:microblog:0' }
      await session.pubsub.createNode(address, { access_model: 'open' })
      await session.pubsub.publishItem({ ...address, item: asItemId('1') }, new Element('entry', { xmlns: 'urn:x' }))
      await using phone = await startSlixmpp(juliet.slixmpp)
      await phone.presence()
      // ejabberd hands out what it kept in any order.
      for (const body of bodies) await phone.hear((event) => event.body === body, body)
      await nurse.message(juliet.slixmpp.jid, 'four')
      await phone.hear(({ body }) => body === 'four')
      assert.equal(session.status, 'online')
    })

    it(`is heard by a client that is not ours on ${kind}, and hears what that publishes`, async () => {
      const juliet = await register('juliet')
      const romeo = await register('romeo')
      await using site = openTestSession(rig[kind], juliet.user, { isSite: true })
      await site.whenOnline(30_000)
      await using reader = await startSlixmpp(romeo.slixmpp)
      await reader.presence()
      const address = { service: site.jid, node: 'urn:xmpp:microblog:0' }
      const config = {
        access_model: 'open',
        publish_model: 'open',
        presence_based_delivery: '0',
        itemreply: 'publisher',
      }
      await site.pubsub.createNode(address, { ...config, notify_retract: '1', max_items: 'max' })
      await reader.subscribe(address)
      await site.pubsub.subscribeNode(address)
      const payload = new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })
      payload.c('title').t('naïve 日本語 🎭')
      await site.pubsub.publishItem({ ...address, item: asItemId('a/b') }, payload)
      const heard = await reader.hear(({ event, item }) => event === 'published' && item === 'a/b')
      assert.match(heard.payload ?? '', /naïve 日本語 🎭/)
      const { promise, resolve } = Promise.withResolvers<string>()
      site.onPubsubEvent((event) => {
        if (event.kind === 'published' && event.address.item === 'reply')
          resolve(String(event.item?.payload?.getChildText('title')))
      })
      assert.equal(await reader.comment({ ...address, item: 'reply', text: 'a < b & c' }), 'reply')
      assert.equal(await promise, 'a < b & c')
      assert.deepEqual((await reader.items(address)).map(({ id }) => id).sort(), ['a/b', 'reply'])
      await site.pubsub.retractItem({ ...address, item: asItemId('a/b') })
      await reader.hear(({ event, item }) => event === 'retracted' && item === 'a/b')
    })
  }
})
