import { ingest } from '#server/feeds/ingest.ts'
import { readPeopleNames } from '#server/feeds/names.ts'
import { viewPost } from '#server/http/pages/post-view.ts'
import { createPictures } from '#server/http/picture/pictures.ts'
import { createSecret } from '#server/people/secret.ts'
import { findBlog } from '#server/store/blog.ts'
import { listPosts } from '#server/store/post.ts'
import { BLOG } from '#test/feeds/fixtures.ts'
import { seedAuthor } from '#test/http/seed.ts'
import { createTestSite, type TestSite } from '#test/http/test-site.ts'
import { render } from '#web/render.ts'
import type { BlogView } from '#web/views.ts'
import { makePost } from './posts.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'
import { serve } from './serve.ts'

const POSTS = 20

async function createSeededSite(): Promise<TestSite> {
  const site = await createTestSite()
  await seedAuthor(site)
  for (let number = 0; number < POSTS; number++) {
    const { address, item } = makePost(number)
    await ingest(site.ctx, { kind: 'published', address, item })
  }
  return site
}

const printing: Benchmark = {
  name: `a blog's page of ${POSTS} posts over HTTP, against its template alone`,
  unit: 'pages/s',
  async measure() {
    await using site = await createSeededSite()
    const ask = await serve(site.app)
    return await ratePerSecond(() => ask('/@juliet'))
  },
  async limit() {
    await using site = await createSeededSite()
    const view = await makeBlogView(site)
    return await ratePerSecond(() => render('blog', view))
  },
}

async function makeBlogView({ ctx }: TestSite): Promise<BlogView> {
  const blog = await findBlog(ctx.index, BLOG)
  if (blog === undefined) throw new Error('There is no blog')
  const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: POSTS })
  const names = await readPeopleNames(ctx.index, [blog.author])
  const limits = { isAllowed: () => false, maxBytes: 1, timeoutMs: 1, clock: () => new Date() }
  const pictures = createPictures(createSecret(Buffer.alloc(32)), limits)
  const web = { pictures, ctx } as unknown as Parameters<typeof viewPost>[0]
  return {
    layout: { siteTitle: 'Canto', assets: '/assets', title: 'Juliet' },
    ...{ title: 'Juliet', url: '/@juliet', author: { ...blog.author, url: '/@juliet' }, isWaiting: false },
    follow: { feedUrl: 'https://blog.example/@juliet/atom.xml', xmppUri: 'xmpp:', jid: blog.author.jid },
    posts: rows.map((row) => viewPost(web, row, { blog, names })),
    paging: {},
  }
}

export const benchmarks = [printing]
