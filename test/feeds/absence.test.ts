import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { compareAll } from '#server/feeds/compare.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

const NODES = 20
const ITEMS = 10

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

/** What the site account asks for, by the name of the method. */
function countQuestions(site: XmppSession): string[] {
  const asked: string[] = []
  const { pubsub } = site
  const count = <Name extends 'listSubscriptions' | 'subscribeNode' | 'pages' | 'listItemIds' | 'findItems'>(
    name: Name,
  ) => {
    const method = pubsub[name]
    pubsub[name] = ((...args: Parameters<typeof method>) => {
      asked.push(name)
      return Reflect.apply(method, pubsub, args)
    }) as typeof method
  }
  for (const name of ['listSubscriptions', 'subscribeNode', 'pages', 'listItemIds', 'findItems'] as const) count(name)
  return asked
}

for (const kind of ['ejabberd', 'prosody'] as const) {
  const home = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  describe(`an absence from ${NODES} nodes of the service of ${kind}`, () => {
    it('costs one question for the subscriptions and one or two for each node, and leaves no difference', async () => {
      await using folder = await createTestFolder()
      const end = randomUUID().slice(0, 8)
      const user = kind === 'prosody' ? 'admin' : `owner-${end}`
      await rig[kind].register(user, `password of ${user}`).catch(() => {})
      await using owner = openTestSession(rig[kind], user)
      await owner.whenOnline(30_000)
      const nodes = Array.from({ length: NODES }, (_, i): NodeAddress => {
        return { service: `pubsub.${rig[kind].domain}` as BareJid, node: `absence-${end}-${i}` }
      })
      const publish = (node: NodeAddress, i: number, title = `post ${i}`) => {
        const published = new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString()
        return owner.pubsub.publishItem(itemOf(node, `post-${i}`), entryOf({ title, published }))
      }
      await Promise.all(
        nodes.map(async (node) => {
          await owner.pubsub.createNode(node, BASE_CONFIG)
          await owner.pubsub.configureNode(node, BASE_CONFIG)
          for (let i = 0; i < ITEMS; i++) await publish(node, i)
        }),
      )
      const paths = { indexPath: folder.file('index'), statePath: folder.file('state') }
      const open = () => createRealContext({ home: rig[home], siteUser: `site-${end}`, ...paths })
      const isWhole = (ctx: RealContext, node: NodeAddress) => async () =>
        (await findNode(ctx.index, node))?.backfill === 'done'
      {
        await using ctx = await open()
        for (const address of nodes) await addFollow(ctx.state, { follower: SITE, address, since: new Date() })
        await ctx.indexing.start()
        for (const node of nodes) await until(isWhole(ctx, node))
      }
      const [edited, retracted, written] = nodes as [NodeAddress, NodeAddress, NodeAddress]
      await publish(edited, ITEMS - 1, 'edited')
      await owner.pubsub.retractItem(itemOf(retracted, 'post-3'))
      await publish(written, ITEMS, 'new')

      await using ctx = await open()
      const asked = countQuestions(ctx.site)
      const before = ctx.site.traffic?.roundTrips ?? 0
      await ctx.indexing.start()
      await ctx.indexing.idle()
      assert.equal(typeof (await findPost(ctx.index, itemOf(written, `post-${ITEMS}`))), 'object')
      assert.equal(await findPost(ctx.index, itemOf(retracted, 'post-3')), 'gone')
      const post = await findPost(ctx.index, itemOf(edited, `post-${ITEMS - 1}`))
      assert.equal(typeof post === 'object' && post.title, 'edited')
      assert.deepEqual(await Array.fromAsync(compareAll(ctx)), [])
      const { lastCatchUp } = ctx.indexing
      assert.equal(lastCatchUp?.nodes, NODES)
      const trips = (ctx.site.traffic?.roundTrips ?? 0) - before
      console.log(`${kind}: ${NODES} nodes, ${JSON.stringify(lastCatchUp)}, ${trips} round trips with comparing`)
      const times = (name: string) => asked.filter((method) => method === name).length
      assert.equal(times('listSubscriptions'), 1)
      assert.equal(times('subscribeNode'), 0, 'subscriptions outlive the process')
      assert.ok(times('listItemIds') <= (kind === 'ejabberd' ? 3 : NODES), `${times('listItemIds')} lists of ids`)
      assert.ok(times('findItems') === 0, 'nothing is sent twice')
    })
  })
}
