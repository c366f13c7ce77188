import type { FastifyReply } from 'fastify'
import { findFeedSecret } from '#server/people/feed-secret.ts'
import { listUnread } from '#server/people/reading.ts'
import { feedKey, listFeeds } from '#server/store/blog.ts'
import { type Follow, listFollows } from '#server/store/follow.ts'
import { listPosts } from '#server/store/post.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Notice, TimelineView } from '#web/views.ts'
import type { FeedQuery } from '../feed-data.ts'
import { homeFeedPath } from '../home-feed.ts'
import { chooseReadable, explainLeftOut } from '../readable.ts'
import { LIVE } from '../routes/live.ts'
import { PAGE_POSTS, writeListVersion } from '../versions.ts'
import type { Web } from '../web.ts'
import { viewPaging, viewPosts } from './lists.ts'
import { viewMarkRead } from './mark-read.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

export interface TimelineQuery extends FeedQuery {
  /** Whether the addresses of the feeds are asked for. */
  readonly feeds?: string
}

/** The newest posts of everything that somebody follows. */
export async function sendTimelinePage(web: Web, exchange: Exchange, query: TimelineQuery): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A timeline needs a person')
  const { before, after } = query
  const follows = await listFollows(ctx.state, person.jid)
  const { addresses, leftOut } = await chooseReadable(
    ctx,
    person.jid,
    follows.map(({ address }) => address),
  )
  const scope = { kind: 'feeds', addresses, isPermitted: true } as const
  const page = await listPosts(ctx.index, { scope, before, after, limit: PAGE_POSTS })
  const unread = await listUnread(ctx, { jid: person.jid, follows }, page.rows)
  const shown = page.rows.map(({ address }) => address)
  const token = tokens.issue(person)
  const isFirst = before === undefined && after === undefined
  return sendPage(web, exchange, {
    name: 'timeline',
    head: { title: 'Home', noindex: true, notices: describeLeftOut(follows, leftOut) },
    view: {
      posts: await viewPosts(web, { page, query, blogs: await listFeeds(ctx.index, shown), unread }, person),
      paging: viewPaging('/home', page),
      ...{ token, followingUrl: '/following', feedsAction: '/home/address' },
      ...(page.rows.length === 0 ? { empty: await explainEmpty(web, addresses) } : {}),
      ...(await viewFeeds(web, person.jid)),
      showsFeeds: query.feeds !== undefined,
      ...(unread.size > 0 ? { read: viewMarkRead(web, person, page.rows) } : {}),
      ...(isFirst ? { live: { url: `/home/${LIVE}`, version: writeListVersion(page.rows) } } : {}),
    },
  })
}

/** A notice of the followed feeds that may not be shown to them now. */
function describeLeftOut(follows: readonly Follow[], leftOut: readonly NodeAddress[]): Notice[] {
  if (leftOut.length === 0) return []
  const keys = new Set(leftOut.map(feedKey))
  const left = follows.filter(({ address }) => keys.has(feedKey(address)))
  return [{ lead: 'Not shown.', text: explainLeftOut(left), kind: 'waiting' }]
}

async function explainEmpty({ ctx }: Web, addresses: readonly NodeAddress[]): Promise<TimelineView['empty']> {
  if (addresses.length === 0) return 'nothing-followed'
  const feeds = await listFeeds(ctx.index, addresses)
  // What is followed just now the index may not even know yet.
  return addresses.some((address) => feeds.get(feedKey(address))?.isWaiting ?? true) ? 'being-read' : 'no-posts'
}

async function viewFeeds({ ctx }: Web, jid: BareJid): Promise<Pick<TimelineView, 'feeds'>> {
  const secret = await findFeedSecret(ctx, jid)
  if (secret === undefined) return {}
  const absolute = (file: string) => new URL(homeFeedPath(secret, undefined, file), ctx.config.url).href
  return { feeds: { atomUrl: absolute('atom.xml'), jsonUrl: absolute('feed.json') } }
}
