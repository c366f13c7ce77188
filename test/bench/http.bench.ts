import Fastify from 'fastify'
import { addAuthorRow } from '#server/store/author.ts'
import { createTestSite, type TestSite } from '#test/http/test-site.ts'
import { BLOGS, findMillion, POSTS } from './million.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'
import { serve } from './serve.ts'

/** Finds the address of a page; the links of another may lead to it. */
type FindPath = (ask: (path: string) => Promise<string>) => Promise<string> | string

async function openSite(): Promise<TestSite> {
  const site = await createTestSite({ indexPath: await findMillion() })
  for (const { service } of BLOGS) await addAuthorRow(site.ctx.state, service, new Date())
  return site
}

function page(name: string, find: FindPath): Benchmark {
  return {
    name: `${name} over HTTP, of ${POSTS.toLocaleString('en')} posts, against a bare route with its bytes`,
    unit: 'pages/s',
    async measure() {
      await using site = await openSite()
      const ask = await serve(site.app)
      const path = await find(ask)
      return await ratePerSecond(() => ask(path))
    },
    async limit() {
      await using site = await openSite()
      const ask = await serve(site.app)
      const bytes = await ask(await find(ask))
      const app = Fastify()
      app.get('/page', (_request, reply) => reply.type('text/html; charset=utf-8').send(bytes))
      const askBare = await serve(app)
      const rate = await ratePerSecond(() => askBare('/page'))
      await app.close()
      return rate
    },
  }
}

const BLOG = '/@author-7'

export const benchmarks = [
  page('the home page', () => '/'),
  page('a blog', () => BLOG),
  page('a post with its thread', async (ask) => {
    const [, path] = new RegExp(`href="(${BLOG}/post-[^"]+)"`).exec(await ask(BLOG)) ?? []
    if (path === undefined) throw new Error('The blog links to no post')
    return path
  }),
  page('a feed', () => `${BLOG}/atom.xml`),
]
