import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { blogOf } from '#server/feeds/blog-of.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findPost } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
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
      const paths = { indexPath: folder.file('index'), statePath: folder.file('state') }
      const home = rig[kind === 'ejabberd' ? 'prosody' : 'ejabberd']
      const open = (through?: (site: XmppSession) => XmppSession) =>
        createRealContext({ home, siteUser: `site-${end}`, ...paths, ...(through && { through }) })
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
