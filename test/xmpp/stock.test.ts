import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { asItemId } from '#shared/address.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'

const entry = (bytes: number) => {
  const payload = new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })
  payload.c('content').t('x'.repeat(bytes))
  return payload
}

describe("with Debian's own limits of rate and size", () => {
  let rig: Rig
  before(async () => {
    rig = await useRig({ stock: true })
  })
  after(() => rig.stop())

  for (const kind of ['ejabberd', 'prosody'] as const) {
    async function open(on: 'ejabberd' | 'prosody', name: string) {
      const user = `${name}-${randomUUID().slice(0, 8)}`
      await rig[on].register(user, `password of ${user}`)
      const session = openTestSession(rig[on], user)
      await session.whenOnline(30_000)
      return session
    }

    it(`a burst of posts on ${kind} is slow, and not lost`, async () => {
      await using session = await open(kind, 'juliet')
      const address = { service: session.jid, node: 'urn:xmpp:microblog:0' }
      await session.pubsub.createNode(address, { access_model: 'open', max_items: 'max' })
      const config = await session.pubsub.configureNode(address, { access_model: 'open', max_items: 'max' })
      assert.ok(config.max_items === 'max' || Number(config.max_items) >= 256, config.max_items)
      const began = Date.now()
      const ids = Array.from({ length: 40 }, (_, number) => asItemId(`${number}`))
      await Promise.all(ids.map((item) => session.pubsub.publishItem({ ...address, item }, entry(1500))))
      console.log(`40 posts of 1.5 kB on ${kind} took ${Date.now() - began} ms`)
      const read: string[] = []
      for await (const items of session.pubsub.allItems(address)) read.push(...items.map(({ id }) => id))
      assert.deepEqual(read.sort(), ids.toSorted())
    })
  }
})
