import { createSlices } from '#server/slices.ts'
import { feedKey, listBlogs, listFeeds } from '#server/store/blog.ts'
import { listCommunities } from '#server/store/community.ts'
import { findLastEntryId } from '#server/store/news.ts'
import { hasSitePosts, listSiteNodeIds, listSitePosts, type Stretch } from '#server/store/site-post.ts'
import type { NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { blogPath, nodePath, postPath } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { listSiteAuthors } from './places.ts'

type SitemapDeps = Pick<AppContext, 'config' | 'state' | 'index' | 'siteDomain' | 'clock'>

export interface Sitemap {
  /** The index of the parts (sitemaps.org). */
  readIndex(): Promise<string>
  /** One of them: 0 has the blogs and communities, each other one posts. Undefined where there is none. */
  readPart(number: number): Promise<string | undefined>
}

const KEEP_MS = 5 * 60_000
/** Texts that are kept at once. */
const MOST_KEPT = 20
/** Entry ids of the index that one part spans; a sitemap may have 50,000 addresses. */
const PART = 10_000
/** Rows that one statement looks at. */
const SLICE = 1_000
const AUTHORS_AT_ONCE = 200

/** The site's own blogs, communities and their posts. It is made in slices, and anew after a while. */
export function createSitemap(deps: SitemapDeps): Sitemap {
  const kept = new Map<number | 'index', { readonly at: number; readonly text: Promise<string | undefined> }>()

  function remember(key: number | 'index', write: () => Promise<string | undefined>): Promise<string | undefined> {
    const now = deps.clock().getTime()
    const known = kept.get(key)
    if (known !== undefined && isWithinLast(KEEP_MS, known.at, now)) return known.text
    const text = write()
    kept.delete(key)
    kept.set(key, { at: now, text })
    const [oldest] = kept.keys()
    if (oldest !== undefined && kept.size > MOST_KEPT) kept.delete(oldest)
    text.catch(() => kept.delete(key))
    return text
  }

  return {
    readIndex: async () => (await remember('index', () => writeIndex(deps))) ?? '',
    readPart: (number) => remember(number, () => (number === 0 ? writePlaces(deps) : writePosts(deps, number))),
  }
}

async function writeIndex(deps: SitemapDeps): Promise<string> {
  const pause = createSlices()
  const nodeIds = await listSiteNodes(deps)
  const last = await findLastEntryId(deps.index)
  const numbers = [0]
  for (let number = 1; (number - 1) * PART < last; number++) {
    if (await hasPosts(deps, nodeIds, number)) numbers.push(number)
    await pause()
  }
  const lines = numbers.map((number) => `<sitemap>${writeLocation(deps, `/sitemap-${number}.xml`)}</sitemap>`)
  return writeDocument('sitemapindex', lines)
}

async function hasPosts({ index }: SitemapDeps, nodeIds: readonly number[], number: number): Promise<boolean> {
  for (const stretch of slicesOf(number)) if (await hasSitePosts(index, nodeIds, stretch)) return true
  return false
}

async function writePlaces(deps: SitemapDeps): Promise<string> {
  const pause = createSlices()
  const site = { domain: deps.siteDomain }
  const paths = ['/']
  const authors = await listSiteAuthors(deps)
  for (let from = 0; from < authors.length; from += AUTHORS_AT_ONCE) {
    const blogs = await listBlogs(deps.index, authors.slice(from, from + AUTHORS_AT_ONCE))
    paths.push(...blogs.filter(({ status }) => status === 'open').map(({ author }) => blogPath(site, author.jid)))
    await pause()
  }
  paths.push(...(await listOpenCommunities(deps)).map((address) => nodePath(site, address)))
  return writeDocument(
    'urlset',
    paths.map((path) => `<url>${writeLocation(deps, path)}</url>`),
  )
}

async function writePosts(deps: SitemapDeps, number: number): Promise<string | undefined> {
  const pause = createSlices()
  const nodeIds = await listSiteNodes(deps)
  const lines: string[] = []
  for (const stretch of slicesOf(number)) {
    for (const { address, updated } of await listSitePosts(deps.index, nodeIds, stretch)) {
      const location = writeLocation(deps, postPath({ domain: deps.siteDomain }, address))
      lines.push(`<url>${location}<lastmod>${updated.toISOString()}</lastmod></url>`)
    }
    await pause()
  }
  return lines.length === 0 ? undefined : writeDocument('urlset', lines)
}

function slicesOf(number: number): Stretch[] {
  const from = (number - 1) * PART
  return Array.from({ length: PART / SLICE }, (_, n) => ({ after: from + n * SLICE, until: from + (n + 1) * SLICE }))
}

async function listSiteNodes(deps: SitemapDeps): Promise<number[]> {
  const [authors, communities] = [await listSiteAuthors(deps), await listOpenCommunities(deps)]
  return listSiteNodeIds(deps.index, { authors, communities })
}

/** Those that were made here and can be read. */
async function listOpenCommunities({ state, index }: SitemapDeps): Promise<NodeAddress[]> {
  const addresses = (await listCommunities(state)).map(({ address }) => address)
  const feeds = await listFeeds(index, addresses)
  return addresses.filter((address) => feeds.get(feedKey(address))?.status === 'open')
}

function writeDocument(name: 'sitemapindex' | 'urlset', lines: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<${name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${lines.join('\n')}
</${name}>
`
}

function writeLocation({ config }: SitemapDeps, path: string): string {
  const { href } = new URL(path, config.url)
  return `<loc>${href.replaceAll('&', '&amp;').replaceAll("'", '&apos;')}</loc>`
}
