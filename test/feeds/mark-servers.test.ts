import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { blogOf } from '#server/feeds/blog-of.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

const [BEFORE, AWAY] = [30, 30]

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  describe(`an absence from a blog on ${kind}`, () => {
    it('leaves nothing out though an event comes before the first page', async () => {
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await createTestFolder())
      const end = randomUUID().slice(0, 8)
      await rig[kind].register(`author-${end}`, `password of author-${end}`)
      const author = stack.use(openTestSession(rig[kind], `author-${end}`))
      await author.whenOnline(30_000)
      const blog = blogOf(author.jid)
      await author.pubsub.createNode(blog, BASE_CONFIG)
      await author.pubsub.configureNode(blog, BASE_CONFIG)
      const publish = (i: number, title = `post ${i}`) => {
        const published = new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString()
        return author.pubsub.publishItem(itemOf(blog, `post-${i}`), entryOf({ title, published }))
      }
      const shows = async ({ index }: RealContext, i: number) =>
        typeof (await findPost(index, itemOf(blog, `post-${i}`))) === 'object'
      const home = rig[kind === 'ejabberd' ? 'prosody' : 'ejabberd']
      const open = (through?: (site: XmppSession) => XmppSession) =>
        createRealContext({ home, siteUser: `site-${end}`, ...folder.databases, ...(through && { through }) })
      for (let i = 0; i < BEFORE; i++) await publish(i)
      {
        await using ctx = await open()
        await addFollow(ctx.state, { follower: SITE, address: blog, since: new Date() })
        await ctx.indexing.start()
        await ctx.indexing.idle()
        assert.ok(await shows(ctx, 0))
      }
      const last = BEFORE + AWAY
      for (let i = BEFORE; i < last; i++) await publish(i)
      // On Prosody it comes first now, and what was missed after it.
      await publish(BEFORE - 1, 'edited')

      let here: RealContext | undefined
      await using ctx = await open((site) => {
        const { pages } = site.pubsub
        site.pubsub.pages = async function* (...args) {
          site.pubsub.pages = pages
          await publish(last)
          await until(async () => here !== undefined && (await shows(here, last)), { what: 'the event' })
          yield* pages(...args)
        }
        return site
      })
      here = ctx
      await ctx.indexing.start()
      await ctx.indexing.idle()
      for (let i = 0; i <= last; i++) assert.ok(await shows(ctx, i), `post ${i}`)
    })
  })
}

describe('an absence from a blog on prosody, which gives strangers one answer of its newest posts,', () => {
  interface Absence {
    readonly ctx: RealContext
    readonly blog: NodeAddress
    publish(i: number): Promise<void>
    shows(i: number): Promise<boolean>
  }

  /** The site has read a blog on Prosody from afar, was away while so many long posts came, and is back. */
  async function comeBackTo(
    stack: AsyncDisposableStack,
    { away, text }: { readonly away: number; readonly text: string },
  ): Promise<Absence> {
    const folder = stack.use(await createTestFolder())
    const end = randomUUID().slice(0, 8)
    await rig.prosody.register(`author-${end}`, `password of author-${end}`)
    const author = stack.use(openTestSession(rig.prosody, `author-${end}`))
    await author.whenOnline(30_000)
    const blog = blogOf(author.jid)
    await author.pubsub.createNode(blog, BASE_CONFIG)
    await author.pubsub.configureNode(blog, BASE_CONFIG)
    const publish = (i: number) => {
      const published = new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString()
      const words = { title: `post ${i}`, published, ...(i < BEFORE ? {} : { text }) }
      return author.pubsub.publishItem(itemOf(blog, `post-${i}`), entryOf(words))
    }
    const open = () => createRealContext({ home: rig.ejabberd, siteUser: `site-${end}`, ...folder.databases })
    for (let i = 0; i < BEFORE; i++) await publish(i)
    {
      await using before = await open()
      await addFollow(before.state, { follower: SITE, address: blog, since: new Date() })
      await before.indexing.start()
      await before.indexing.idle()
    }
    for (let i = BEFORE; i < BEFORE + away; i++) await publish(i)
    const ctx = stack.use(await open())
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const shows = async (i: number) => typeof (await findPost(ctx.index, itemOf(blog, `post-${i}`))) === 'object'
    return { ctx, blog, publish, shows }
  }

  it('leaves out nothing of 300 kB', async () => {
    await using stack = new AsyncDisposableStack()
    const away = 30
    const { ctx, blog, shows } = await comeBackTo(stack, { away, text: 'word '.repeat(2_000) })
    for (let i = 0; i < BEFORE + away; i++) assert.ok(await shows(i), `post ${i}`)
    assert.equal((await findNode(ctx.index, blog))?.backfill, 'done')
  })

  it('says that some of 900 kB is missing, and goes on hearing', async () => {
    await using stack = new AsyncDisposableStack()
    const away = 60
    // Prosody writes its quotes as entities.
    const { ctx, blog, publish, shows } = await comeBackTo(stack, { away, text: "it's good ".repeat(1_000) })
    const last = BEFORE + away
    for (let i = last - 15; i < last; i++) assert.ok(await shows(i), `post ${i}`)
    for (let i = 0; i < BEFORE; i++) assert.ok(await shows(i), `post ${i}`)
    assert.equal(await shows(BEFORE), false)
    assert.equal((await findNode(ctx.index, blog))?.backfill, 'partial')
    await publish(last)
    await until(() => shows(last), { what: 'the event' })
  })
})
