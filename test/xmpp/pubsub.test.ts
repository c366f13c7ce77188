import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { Item, NodeConfig, PubsubEvent, XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { PROSODY_ADMIN } from '#test/support/prosody.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const WANTED: NodeConfig = {
  persist_items: '1',
  max_items: 'max',
  access_model: 'open',
  presence_based_delivery: '0',
  send_last_published_item: 'never',
  itemreply: 'publisher',
  notify_retract: '1',
  notify_delete: '1',
  deliver_payloads: '1',
  type: 'urn:xmpp:microblog:0',
  title: 'Juliet’s blog',
}

const entry = (title: string) => {
  const payload = new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom', 'xml:lang': 'it' })
  payload.c('title', { type: 'text' }).t(title)
  return payload
}
const titleOf = (item: Item | undefined) => item?.payload?.getChild('title')?.getText()
const idsOf = (items: readonly Item[]) => items.map(({ id }) => id as string)
const bare = (jid: string | undefined) => jid?.split('/')[0]

describe('pubsub', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  for (const kind of ['ejabberd', 'prosody'] as const) {
    const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'
    for (const place of ['account', 'service'] as const) {
      describe(`on ${kind}, node of an ${place === 'account' ? 'account' : 'open service'}`, () => {
        const stack = new AsyncDisposableStack()
        let owner: XmppSession
        let reader: XmppSession
        let stranger: XmppSession
        let service: BareJid
        after(() => stack.disposeAsync())

        async function open(on: 'ejabberd' | 'prosody', user: string, isSite = false): Promise<XmppSession> {
          await rig[on].register(user, `password of ${user}`).catch((error: unknown) => {
            // The admin of Prosody's component is one for all tests.
            if (user !== PROSODY_ADMIN) throw error
          })
          const session = stack.use(openTestSession(rig[on], user, { isSite }))
          await session.whenOnline(30_000)
          return session
        }

        before(async () => {
          const id = randomUUID().slice(0, 8)
          const isAdmins = kind === 'prosody' && place === 'service'
          owner = await open(kind, isAdmins ? PROSODY_ADMIN : `juliet-${id}`)
          reader = await open(kind, `reader-${id}`, true)
          stranger = await open(other, `stranger-${id}`, true)
          service = place === 'account' ? owner.jid : (`pubsub.${rig[kind].domain}` as BareJid)
        })

        const node = (): NodeAddress => ({ service, node: `urn:test:${randomUUID()}` })

        async function create(config: NodeConfig = WANTED): Promise<NodeAddress> {
          const address = node()
          assert.equal(await owner.pubsub.createNode(address, config), 'created')
          return address
        }

        it('creates a node as wanted, reads back what it really has, and finds it there next time', async () => {
          const address = await create({ ...WANTED, nonsense: '1' })
          assert.equal(await owner.pubsub.createNode(address, WANTED), 'exists')
          const config = await owner.pubsub.configureNode(address, { ...WANTED, nonsense: '1', title: 'Another' })
          for (const name of ['persist_items', 'access_model', 'send_last_published_item', 'itemreply', 'type']) {
            assert.equal(config[name], WANTED[name], name)
          }
          assert.equal(config.title, 'Another')
          assert.equal(config.nonsense, undefined)
          assert.ok(config.max_items === 'max' || Number(config.max_items) >= 1000, config.max_items)
          assert.deepEqual(await owner.pubsub.readConfig(address), config)
          await assert.rejects(stranger.pubsub.readConfig(address), (error) => isAppError(error, 'forbidden'))
        })

        it('settles for fewer items than wanted, and goes without an option that is refused', async () => {
          const address = await create({ ...WANTED, max_items: '99999999', notify_retract: 'maybe' })
          const created = await owner.pubsub.readConfig(address)
          assert.equal(created.access_model, 'open')
          const config = await owner.pubsub.configureNode(address, {
            ...WANTED,
            max_items: '88888888',
            title: 'Another',
          })
          assert.ok(Number(config.max_items) >= 1000, config.max_items)
          assert.equal(config.title, 'Another')
        })

        it('tells subscribers near and far of what is published, replaced, retracted, purged and deleted', async () => {
          const address = await create()
          const heard = new Map<XmppSession, PubsubEvent[]>([
            [reader, []],
            [stranger, []],
          ])
          for (const [session, events] of heard) {
            stack.defer(
              session.onPubsubEvent((event) => {
                if (event.address.node === address.node && event.kind !== 'subscription') events.push(event)
              }),
            )
            assert.equal(await session.pubsub.subscribeNode(address), 'subscribed')
            assert.equal(await session.pubsub.subscribeNode(address), 'subscribed')
            const [found] = (await session.pubsub.listSubscriptions(service)).filter(
              (one) => one.address.node === address.node,
            )
            assert.deepEqual(found, { address, state: 'subscribed' })
          }
          const item = { ...address, item: asItemId('naïve id/with 日本語') }
          await owner.pubsub.publishItem(item, entry('first'))
          await owner.pubsub.publishItem(item, entry('second 🎭'))
          await owner.pubsub.retractItem(item)
          await owner.pubsub.retractItem(item)
          await owner.pubsub.publishItem({ ...address, item: asItemId('2') }, entry('third'))
          await owner.pubsub.purgeNode(address)
          await owner.pubsub.deleteNode(address)
          await owner.pubsub.deleteNode(address)
          const kinds = ['published', 'published', 'retracted', 'published', 'purged', 'deleted']
          for (const events of heard.values()) {
            await until(() => events.length >= kinds.length, {
              what: JSON.stringify(events.map((event) => event.kind)),
            })
            assert.deepEqual(
              events.map((event) => event.kind),
              kinds,
            )
            const [first, second, retracted] = events
            assert.ok(first?.kind === 'published' && second?.kind === 'published')
            assert.deepEqual(first.address, item)
            assert.equal(titleOf(second.item), 'second 🎭')
            assert.equal(second.item?.payload?.attrs['xml:lang'], 'it')
            assert.equal(bare(second.item?.publisher), owner.jid)
            assert.deepEqual(retracted?.address, item)
          }
        })

        it('finds one item by its id, with its publisher, and no other', async () => {
          const address = await create()
          for (const id of ['a', 'b']) await owner.pubsub.publishItem({ ...address, item: asItemId(id) }, entry(id))
          for (const session of [owner, reader, stranger]) {
            const item = await session.pubsub.findItem({ ...address, item: asItemId('a') })
            assert.equal(titleOf(item), 'a')
            assert.equal(bare(item?.publisher), owner.jid)
            assert.equal(await session.pubsub.findItem({ ...address, item: asItemId('c') }), undefined)
          }
          assert.equal(await owner.pubsub.findItem({ ...node(), item: asItemId('a') }), undefined)
        })

        it('reads a whole node, each item once, and the newest of it', async () => {
          const address = await create()
          const ids = Array.from({ length: 90 }, (_, number) => `item-${number}`)
          for (const id of ids) await owner.pubsub.publishItem({ ...address, item: asItemId(id) }, entry(id))
          for (const session of [owner, stranger]) {
            const read = []
            for await (const items of session.pubsub.allItems(address)) read.push(...items)
            assert.deepEqual(idsOf(read).sort(), ids.toSorted())
            const few = []
            for await (const items of session.pubsub.allItems(address, { max: 25 })) few.push(...items)
            assert.deepEqual(idsOf(few).sort(), ids.slice(-25).sort())
            const page = await session.pubsub.listItems(address, { max: 10 })
            assert.deepEqual(idsOf(page.items).sort(), ids.slice(-10).sort())
            assert.equal(page.isComplete, false)
            const whole = await session.pubsub.listItems(address, { max: 100 })
            assert.equal(whole.items.length, 90)
            assert.equal(whole.isComplete, true)
          }
          const listed = await owner.pubsub.listItemIds(address)
          assert.deepEqual(listed && [...listed].sort(), ids.toSorted())
        })

        it('lists the ids to strangers, or says that it does not', async () => {
          const address = await create()
          await owner.pubsub.publishItem({ ...address, item: asItemId('a') }, entry('a'))
          const listed = await stranger.pubsub.listItemIds(address)
          assert.deepEqual(listed, place === 'account' ? undefined : ['a'])
        })

        it('lets only those publish and retract who may', async () => {
          const address = await create()
          const item = { ...address, item: asItemId('a') }
          await assert.rejects(stranger.pubsub.publishItem(item, entry('x')), (error) => isAppError(error, 'forbidden'))
          await owner.pubsub.publishItem(item, entry('a'))
          await assert.rejects(reader.pubsub.retractItem(item), (error) => isAppError(error, 'forbidden'))
          const open = await create({ ...WANTED, publish_model: 'open' })
          await stranger.pubsub.publishItem({ ...open, item: asItemId('by-stranger') }, entry('comment'))
          const found = await owner.pubsub.findItem({ ...open, item: asItemId('by-stranger') })
          assert.equal(bare(found?.publisher), stranger.jid)
          await owner.pubsub.retractItem({ ...open, item: asItemId('by-stranger') })
          assert.equal(await owner.pubsub.findItem({ ...open, item: asItemId('by-stranger') }), undefined)
        })

        it('hides a closed node, and a missing one is not there', async () => {
          const closed = await create({ ...WANTED, access_model: 'whitelist' })
          await assert.rejects(stranger.pubsub.listItems(closed), (error) => isAppError(error, 'forbidden'))
          await assert.rejects(stranger.pubsub.subscribeNode(closed), (error) => isAppError(error, 'forbidden'))
          for (const session of [owner, reader, stranger]) {
            await assert.rejects(session.pubsub.listItems(node()), (error) =>
              isAppError(error, 'not-found', 'forbidden'),
            )
          }
        })

        it('lists affiliations of a node to its owner', async () => {
          const address = await create()
          assert.deepEqual(await owner.pubsub.listAffiliations(address), [
            { jid: owner.jid, node: address.node, affiliation: 'owner' },
          ])
        })

        it('takes a goodbye twice', async () => {
          const address = await create()
          // Another account: Prosody never answers one that was subscribed to a node deleted since.
          const guest = await open(other, `guest-${randomUUID()}`)
          await guest.pubsub.subscribeNode(address)
          assert.deepEqual(await guest.pubsub.listSubscriptions(service), [{ address, state: 'subscribed' }])
          await guest.pubsub.unsubscribeNode(address)
          await guest.pubsub.unsubscribeNode(address)
          assert.deepEqual(await guest.pubsub.listSubscriptions(service), [])
        })
      })
    }

    it(`sets the nickname of an account on ${kind}`, async () => {
      const user = `nick-${randomUUID().slice(0, 8)}`
      await rig[kind].register(user, `password of ${user}`)
      await using session = openTestSession(rig[kind], user)
      await session.whenOnline(30_000)
      await session.setNickname('Giulietta 🌹')
      const page = await session.pubsub.listItems({ service: session.jid, node: 'http://jabber.org/protocol/nick' })
      assert.equal(page.items[0]?.payload?.getText(), 'Giulietta 🌹')
    })
  }
})
