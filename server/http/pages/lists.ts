import type { FastifyReply } from 'fastify'
import { type Names, readPeopleNames } from '#server/feeds/names.ts'
import { isModerator } from '#server/feeds/owners.ts'
import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import { listUnread } from '#server/people/reading.ts'
import { findAuthor } from '#server/store/author.ts'
import { type BlogRow, feedKey } from '#server/store/blog.ts'
import { findBlock } from '#server/store/community.ts'
import { findFollow } from '#server/store/follow.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { listOutbox } from '#server/store/outbox.ts'
import type { Page } from '#server/store/post.ts'
import type { PersonName, PostRow } from '#server/store/post-row.ts'
import { addressKey, writeXmppUri } from '#shared/address.ts'
import { nodePath, tagPath } from '#shared/paths.ts'
import type { BlogView, FollowView, PagingView, PostView } from '#web/views.ts'
import { peoplePath, writePath } from '../community-paths.ts'
import type { FeedQuery } from '../feed-data.ts'
import { LIVE } from '../routes/live.ts'
import { type Access, blogTitle } from '../shown.ts'
import { writeListVersion } from '../versions.ts'
import type { Web } from '../web.ts'
import { describeConsent } from './consent.ts'
import { viewFollowButton, viewPublicFollows } from './follow-view.ts'
import { viewMarkRead } from './mark-read.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewOutboxPost, viewPost } from './post-view.ts'
import { viewRoomLink } from './room-link.ts'

export interface ListPage {
  readonly page: Page<PostRow>
  readonly query: FeedQuery
  /** The feeds of the posts, by `feedKey`. */
  readonly blogs: ReadonlyMap<string, BlogRow>
  /** What the reader follows and has not read, by `addressKey`. */
  readonly unread?: ReadonlySet<string>
}

export async function sendHomePage(web: Web, exchange: Exchange, list: ListPage): Promise<FastifyReply> {
  const { title } = web.ctx.config
  return sendPage(web, exchange, {
    name: 'home',
    head: {
      title,
      canonicalPath: canonical('/', list.query),
      feeds: [{ href: '/atom.xml', title }],
      ogType: 'website',
    },
    view: {
      posts: await viewPosts(web, list, exchange.visit.person),
      paging: viewPaging('/', list.page),
      ...(exchange.visit.person?.isBlogger ? { writeUrl: '/write' } : {}),
    },
  })
}

export async function sendBlogPage(
  web: Web,
  exchange: Exchange,
  { blog, access, ...list }: ListPage & { blog: BlogRow; access: Access },
): Promise<FastifyReply> {
  const { person } = exchange.visit
  const url = nodePath({ domain: web.ctx.siteDomain }, blog.address)
  const title = blogTitle(blog)
  const isOwn = blog.kind === 'blog' && person?.jid === blog.author.jid
  const notices = isOwn ? describeConsent((await findAuthor(web.ctx.state, blog.author.jid))?.consent) : []
  const follow = person && (await findFollow(web.ctx.state, person.jid, blog.address))
  const unread = follow && (await listUnread(web.ctx, { jid: person.jid, follows: [follow] }, list.page.rows))
  const isFirst = list.query.before === undefined && list.query.after === undefined
  const names = await readListNames(web, list.page.rows, blog.author)
  return sendPage(web, exchange, {
    name: 'blog',
    head: {
      ...{ title, description: blog.description, language: blog.language, ogType: 'website' },
      canonicalPath: canonical(url, list.query),
      xmppUri: writeXmppUri(blog.address),
      notices,
      ...(access === 'site' && blog.status === 'open'
        ? { feeds: [{ href: `${url}/atom.xml`, title }] }
        : { noindex: true }),
    },
    view: {
      ...{ title, description: blog.description, language: blog.language, url },
      author: { ...blog.author, beside: names.beside(blog.author), ...(blog.kind === 'blog' ? { url } : {}) },
      isWaiting: blog.isWaiting && list.page.rows.length === 0,
      ...viewMissing(blog, list.page),
      follow: viewFollow(web, blog, access === 'site'),
      ...(isOwn || person === undefined
        ? {}
        : { following: viewFollowButton(web, person, { blog, isFollowed: follow !== undefined }) }),
      ...(blog.kind === 'blog' && isFirst ? { follows: await viewPublicFollows(web, blog) } : {}),
      posts: await viewPosts(web, { ...list, unread }, person),
      ...(person && unread?.size ? { read: viewMarkRead(web, person, list.page.rows, blog.address) } : {}),
      ...(person !== undefined && isFirst ? { waiting: await viewWaitingPosts(web, blog, person) } : {}),
      paging: viewPaging(url, list.page),
      ...(isOwn ? { writeUrl: '/write' } : {}),
      ...(blog.kind === 'community' && person !== undefined ? await viewCommunity(web, blog, person) : {}),
      ...(await viewRoomLink(web, blog.address)),
      ...(isFirst ? { live: { url: `${url}/${LIVE}`, version: writeListVersion(list.page.rows) } } : {}),
    },
  })
}

/** What of a feed cannot be shown, or not yet, where one looks for it: at the end of what there is. */
function viewMissing({ backfill, purgedAt }: BlogRow, { rows, older }: Page<PostRow>): Pick<BlogView, 'missing'> {
  if (older !== undefined) return {}
  if (backfill === 'partial' || backfill === 'cut' || backfill === 'underway') return { missing: backfill }
  return rows.length === 0 && purgedAt !== undefined ? { missing: 'purged' } : {}
}

export async function sendTagPage(
  web: Web,
  exchange: Exchange,
  { tag, blog, access = 'site', ...list }: ListPage & { tag: string; blog?: BlogRow; access?: Access },
): Promise<FastifyReply> {
  const site = { domain: web.ctx.siteDomain }
  const path = tagPath(site, tag, blog?.address)
  const title = blog === undefined ? tag : `${tag} · ${blogTitle(blog)}`
  return sendPage(web, exchange, {
    name: 'tag',
    head: {
      ...{ title, language: blog?.language, canonicalPath: canonical(path, list.query) },
      ...(access === 'site' ? { feeds: [{ href: `${path}/atom.xml`, title }] } : { noindex: true }),
    },
    view: {
      tag,
      ...(blog === undefined ? {} : { blog: { title: blogTitle(blog), url: nodePath(site, blog.address) } }),
      posts: await viewPosts(web, list, exchange.visit.person),
      paging: viewPaging(path, list.page),
    },
  })
}

/** How to follow a blog from an XMPP client, and one of the site from a feed reader. */
export function viewFollow({ ctx }: Web, blog: BlogRow, isOfSite: boolean): FollowView {
  const feed = new URL(`${nodePath({ domain: ctx.siteDomain }, blog.address)}/atom.xml`, ctx.config.url)
  return {
    ...(isOfSite ? { feedUrl: feed.href } : {}),
    xmppUri: writeXmppUri(blog.address),
    jid: blog.address.service,
    node: blog.kind === 'community' ? blog.address.node : undefined,
  }
}

export async function viewPosts(
  web: Web,
  { page, blogs, unread }: ListPage,
  person: Person | undefined,
): Promise<PostView[]> {
  const names = await readListNames(web, page.rows)
  return page.rows.flatMap((row) => {
    const blog = blogs.get(feedKey(row.address))
    const isNew = unread?.has(addressKey(row.address))
    return blog === undefined ? [] : [{ ...viewPost(web, row, { blog, person, names }), isNew }]
  })
}

/** Names of the authors of posts and reposts in a list. */
function readListNames({ ctx }: Web, rows: readonly PostRow[], ...others: (PersonName | undefined)[]): Promise<Names> {
  const people = rows.flatMap(({ author, repost }) => [author, repost?.author])
  return readPeopleNames(ctx.index, [...people, ...others])
}

export function viewPaging(path: string, { newer, older }: Page<PostRow>): PagingView {
  return {
    ...(newer === undefined ? {} : { newerUrl: `${path}?after=${newer}` }),
    ...(older === undefined ? {} : { olderUrl: `${path}?before=${older}` }),
  }
}

/** What somebody who is signed in can do in a community. */
async function viewCommunity({ ctx }: Web, { address }: BlogRow, { jid }: Person) {
  const isOwner = await isModerator(ctx, jid, address)
  const isBlocked = (await findBlock(ctx.state, address, jid)) !== undefined
  return {
    ...(isBlocked ? {} : { writeHereUrl: writePath(address) }),
    ...(isOwner ? { peopleUrl: peoplePath(address) } : {}),
  }
}

/** What somebody has on its way to this very feed. */
async function viewWaitingPosts(web: Web, blog: BlogRow, person: Person) {
  const rows = await listOutbox(web.ctx.state, person.jid)
  const here = rows.filter((row) => isNewPost(row) && feedKey(row.address) === feedKey(blog.address))
  return here.map((row) => viewOutboxPost(web, row, { blog, person }))
}

function isNewPost(row: OutboxRow): boolean {
  const task = readTask(row)
  return task.kind === 'post' && task.base === undefined
}

/** Each page of a list is its own: none is another's copy. */
function canonical(path: string, { before, after }: FeedQuery): string {
  const query = new URLSearchParams({ ...(before && { before }), ...(after && { after }) }).toString()
  return query === '' ? path : `${path}?${query}`
}
