import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import { asItemId, type ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const entry = (bytes: number) => {
  const payload = new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })
  payload.c('content').t('x'.repeat(bytes))
  return payload
}

const scattered = (elements: number) => {
  const payload = new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })
  for (let n = 0; n < elements; n++) payload.c('a')
  return payload
}

describe('what is large', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  async function open(on: 'ejabberd' | 'prosody', name: string, isSite = false) {
    const user = `${name}-${randomUUID().slice(0, 8)}`
    await rig[on].register(user, `password of ${user}`)
    const session = openTestSession(rig[on], user, { isSite })
    await session.whenOnline(30_000)
    return session
  }

  it('items from afar that are too many elements together are read in smaller pages', async () => {
    await using site = await open('ejabberd', 'site', true)
    await using stranger = await open('prosody', 'stranger')
    const address = { service: 'pubsub.ejabberd.test' as BareJid, node: `large-${randomUUID()}` }
    await site.pubsub.createNode(address, { access_model: 'open', publish_model: 'open', max_items: '20' })
    await site.pubsub.subscribeNode(address)
    const events: string[] = []
    site.onPubsubEvent((event) => event.kind === 'published' && events.push(event.address.item))
    const ids = Array.from({ length: 20 }, (_, number) => asItemId(`${number}`))
    for (const item of ids) await stranger.pubsub.publishItem({ ...address, item }, scattered(10_000))
    await until(() => events.length === ids.length)
    await assert.rejects(site.pubsub.listItems(address, { max: 20 }), (error) => isAppError(error, 'too-large'))
    const read = new Map<string, number>()
    for await (const items of site.pubsub.allItems(address)) {
      for (const { id, payload } of items) read.set(id, payload?.children.length ?? 0)
    }
    assert.deepEqual([...read.keys()].sort(), ids.toSorted())
    assert.deepEqual([...new Set(read.values())], [10_000])
    // It is the same stream as in the beginning.
    assert.equal(site.status, 'online')
    assert.equal(site.lastSignIn, 'password')
    await site.pubsub.deleteNode(address)
  })

  for (const kind of ['ejabberd', 'prosody'] as const) {
    const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

    it(`a node of ${kind} larger than one stanza between servers is read from afar, or said to be too large`, async () => {
      await using session = await open(kind, 'juliet')
      await using stranger = await open(other, 'stranger')
      const address = { service: session.jid, node: 'urn:xmpp:microblog:0' }
      await session.pubsub.createNode(address, { access_model: 'open', max_items: 'max' })
      const ids = Array.from({ length: 40 }, (_, number) => asItemId(`${number}`))
      // 800 kB in all, where a stream between servers ends at 512.
      for (const item of ids) await session.pubsub.publishItem({ ...address, item }, entry(20_000))
      const read: string[] = []
      const reading = (async () => {
        for await (const items of stranger.pubsub.allItems(address)) read.push(...items.map(({ id }) => id))
      })()
      if (kind === 'ejabberd') {
        await reading
        assert.deepEqual(read.sort(), ids.toSorted())
      } else {
        await assert.rejects(reading, (error) => isAppError(error, 'too-large'))
        assert.ok(read.length >= 20, `${read.length}`)
      }
    })

    it(`an item over the limit of ${kind} is refused without harm`, async () => {
      await using session = await open(kind, 'juliet')
      const address = { service: session.jid, node: 'urn:xmpp:microblog:0' }
      await session.pubsub.createNode(address, { access_model: 'open', max_items: 'max' })
      const item = { ...address, item: asItemId('large') }
      await assert.rejects(session.pubsub.publishItem(item, entry(300_000)), (error) =>
        isAppError(error, 'too-large', 'stanza-too-big'),
      )
      assert.equal(session.status, 'online')
      await session.pubsub.publishItem(item, entry(200_000))
      assert.equal((await session.pubsub.findItem(item))?.payload?.getChildText('content')?.length, 200_000)
    })

    it(`a node of 3,000 items on ${kind} is read whole, in several pages`, async () => {
      await using session = await open(kind, 'juliet')
      const address = { service: session.jid, node: 'urn:xmpp:microblog:0' }
      const isOnEjabberd = kind === 'ejabberd'
      const model = isOnEjabberd ? 'open' : 'publishers'
      await session.pubsub.createNode(address, { access_model: 'open', publish_model: model, max_items: 'max' })
      await using others = new AsyncDisposableStack()
      const publishers = [session]
      // ejabberd writes down the names of all that a publisher has on the node with each item of theirs: ten are faster.
      while (isOnEjabberd && publishers.length < 10) publishers.push(others.use(await open(kind, 'publisher')))
      const began = Date.now()
      const ids = Array.from({ length: 3_000 }, (_, number) => asItemId(`${number}`))
      const publish = (item: ItemId, number: number) =>
        publishers[number % publishers.length]?.pubsub.publishItem({ ...address, item }, entry(100))
      await Promise.all(ids.map(publish))
      const published = Date.now()
      const read = new Set<string>()
      let pages = 0
      for await (const items of session.pubsub.allItems(address)) {
        pages++
        for (const { id } of items) read.add(id)
      }
      console.log(
        `${kind}: written in ${published - began} ms, read in ${Date.now() - published} ms and ${pages} pages`,
      )
      assert.equal(read.size, ids.length)
      assert.ok(pages > 1, `${pages}`)
    })
  }
})
