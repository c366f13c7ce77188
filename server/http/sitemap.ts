import { feedKey, listBlogs, listFeeds } from '#server/store/blog.ts'
import { listCommunities } from '#server/store/community.ts'
import { listPosts } from '#server/store/post.ts'
import type { NodeAddress } from '#shared/address.ts'
import { blogPath, nodePath, postPath } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { listSiteAuthors } from './places.ts'

type SitemapDeps = Pick<AppContext, 'config' | 'state' | 'index' | 'siteDomain' | 'clock'>

const KEEP_MS = 5 * 60_000
const PART = 500
const MOST = 5_000
const MOST_COMMUNITIES = 10

/** The sitemap, made anew after a while: search engines are patient, and it reads the whole site. */
export function createSitemap(deps: SitemapDeps): () => Promise<string> {
  let made: { at: number; text: Promise<string> } | undefined
  return () => {
    const now = deps.clock().getTime()
    if (made === undefined || now - made.at > KEEP_MS) {
      const text = writeSitemap(deps)
      made = { at: now, text }
      text.catch(() => {
        made = undefined
      })
    }
    return made.text
  }
}

/** The site's own blogs and their posts, newest first (sitemaps.org). */
async function writeSitemap(deps: SitemapDeps): Promise<string> {
  const { config, index, siteDomain } = deps
  const site = { domain: siteDomain }
  const authors = await listSiteAuthors(deps)
  const lines = [writeUrl(new URL('/', config.url))]
  for (const { author, status } of await listBlogs(index, authors)) {
    if (status === 'open') lines.push(writeUrl(new URL(blogPath(site, author.jid), config.url)))
  }
  for (const address of await listOpenCommunities(deps)) {
    lines.push(writeUrl(new URL(nodePath(site, address), config.url)))
    const page = await listPosts(index, { scope: { kind: 'blog', address }, limit: PART })
    for (const post of page.rows) lines.push(writeUrl(new URL(postPath(site, post.address), config.url), post.updated))
  }
  let before: string | undefined
  do {
    const page = await listPosts(index, { scope: { kind: 'site', authors }, before, limit: PART })
    for (const { address, updated } of page.rows) {
      lines.push(writeUrl(new URL(postPath(site, address), config.url), updated))
    }
    before = page.older
  } while (before !== undefined && lines.length < MOST)
  return `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${lines.join('\n')}
</urlset>
`
}

/** Those that were made here and can be read. */
async function listOpenCommunities({ state, index }: SitemapDeps): Promise<NodeAddress[]> {
  const addresses = (await listCommunities(state)).map(({ address }) => address)
  const feeds = await listFeeds(index, addresses)
  return addresses.filter((address) => feeds.get(feedKey(address))?.status === 'open').slice(0, MOST_COMMUNITIES)
}

function writeUrl(url: URL, changed?: Date): string {
  const lastmod = changed === undefined ? '' : `<lastmod>${changed.toISOString()}</lastmod>`
  return `<url><loc>${url.href.replaceAll('&', '&amp;').replaceAll("'", '&apos;')}</loc>${lastmod}</url>`
}
