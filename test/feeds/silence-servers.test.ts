import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { blogOf } from '#server/feeds/blog-of.ts'
import { previewFeed } from '#server/feeds/preview.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

interface Scene extends AsyncDisposable {
  readonly ctx: RealContext
  readonly author: XmppSession
  readonly blog: NodeAddress
  publish(item: string): Promise<void>
  wait(ms: number): void
}

/** A blog on ejabberd as other clients make it, followed from Prosody. */
async function openScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const end = randomUUID().slice(0, 8)
  await rig.ejabberd.register(`author-${end}`, `password of author-${end}`)
  const author = stack.use(openTestSession(rig.ejabberd, `author-${end}`))
  await author.whenOnline(30_000)
  const blog = blogOf(author.jid)
  const config = { access_model: 'open', persist_items: '1', max_items: '100', presence_based_delivery: '1' }
  await author.pubsub.createNode(blog, config)
  await author.pubsub.configureNode(blog, config)
  assert.equal((await author.pubsub.readConfig(blog)).presence_based_delivery, '1')
  let offset = 0
  const clock = () => new Date(Date.now() + offset)
  const ctx = stack.use(await createRealContext({ home: rig.prosody, siteUser: `site-${end}`, clock }))
  const publish = (item: string) => author.pubsub.publishItem(itemOf(blog, item), entryOf({ title: item }))
  for (let i = 0; i < 5; i++) await publish(`post-${i}`)
  await addFollow(ctx.state, { follower: SITE, address: blog, since: clock() })
  await ctx.indexing.start()
  await ctx.indexing.idle()
  const owned = stack.move()
  return {
    ...{ ctx, author, blog, publish },
    wait: (ms) => {
      offset += ms
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function shows({ ctx, blog }: Scene, item: string): Promise<boolean> {
  return typeof (await findPost(ctx.index, itemOf(blog, item))) === 'object'
}

describe('a blog on ejabberd that delivers by presence, followed from afar,', () => {
  it('is found out by a post that no event told of, and read within minutes from then on', async () => {
    await using scene = await openScene()
    const { ctx, author, blog, publish, wait } = scene
    await publish('unheard')
    wait(6 * HOUR)
    await until(() => shows(scene, 'unheard'), { what: 'the usual reading' })
    await until(async () => (await findNode(ctx.index, blog))?.unheardAt !== undefined)
    await publish('soon')
    await author.pubsub.retractItem(itemOf(blog, 'post-2'))
    wait(2 * MINUTE)
    await until(() => shows(scene, 'soon'), { what: 'a reading in minutes' })
    await until(async () => (await findPost(ctx.index, itemOf(blog, 'post-2'))) === 'gone', { what: 'the retraction' })
  })

  it('is read when somebody looks at it', async () => {
    await using scene = await openScene()
    const { ctx, blog, publish } = scene
    const person = await ctx.signIn(rig.prosody, `person-${randomUUID().slice(0, 8)}`)
    await publish('unheard')
    assert.equal(await shows(scene, 'unheard'), false)
    await previewFeed(ctx, person, blog)
    await until(() => shows(scene, 'unheard'), { what: 'the reading of the site account' })
  })
})
