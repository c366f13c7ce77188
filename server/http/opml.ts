import type { Person } from '#server/people/people.ts'
import { type BlogRow, feedKey, listBlogs, listFeeds } from '#server/store/blog.ts'
import { type Follow, listFollows } from '#server/store/follow.ts'
import { writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Outline, writeOpml } from '#shared/opml.ts'
import { blogPath, nodePath } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { homeFeedPath } from './home-feed.ts'
import { isSiteFeed, listSiteAuthors } from './places.ts'
import { mayReadRestricted } from './readable.ts'
import { blogTitle } from './shown.ts'

type Deps = Pick<AppContext, 'config' | 'state' | 'index' | 'siteDomain' | 'permits'>

/** The site's blogs, for feed readers to import. */
export async function writeSiteOpml(deps: Deps): Promise<string> {
  const { config, index, siteDomain } = deps
  const blogs = await listBlogs(index, await listSiteAuthors(deps))
  const outlines = blogs
    .filter(({ status }) => status === 'open')
    .map((blog): Outline => {
      const page = new URL(blogPath({ domain: siteDomain }, blog.author.jid), config.url).href
      const xmppUri = writeXmppUri(blog.address)
      return { title: blogTitle(blog), xmlUrl: `${page}/atom.xml`, htmlUrl: page, xmppUri }
    })
  return writeOpml(config.title, outlines)
}

/** What somebody follows; of what has no public feed that we know, the one under their own secret address. */
export async function writeFollowsOpml(deps: Deps, { jid }: Person, secret: string): Promise<string> {
  const follows = await listFollows(deps.state, jid)
  const addresses = follows.map(({ address }) => address)
  const feeds = await listFeeds(deps.index, addresses)
  const outlines: Outline[] = []
  for (const follow of follows)
    outlines.push(await describe(deps, { jid, follow, blog: feeds.get(feedKey(follow.address)), secret }))
  return writeOpml(`${deps.config.title}: ${jid}`, outlines)
}

async function describe(
  deps: Deps,
  { jid, follow, blog, secret }: { jid: BareJid; follow: Follow; blog: BlogRow | undefined; secret: string },
): Promise<Outline> {
  const { address } = follow
  // The name that a blog gives itself is as restricted as its posts.
  const mayShow = blog?.status !== 'restricted' || mayReadRestricted(deps, jid, address)
  const page = nodePath({ domain: deps.siteDomain }, address)
  const isOurs = await isSiteFeed(deps, address)
  const feed = isOurs ? `${page}/atom.xml` : (follow.feedUrl ?? homeFeedPath(secret, address))
  return {
    title: blog !== undefined && mayShow ? blogTitle(blog) : (follow.title ?? address.service),
    xmlUrl: new URL(feed, deps.config.url).href,
    ...(isOurs ? { htmlUrl: new URL(page, deps.config.url).href } : {}),
    xmppUri: writeXmppUri(address),
  }
}
