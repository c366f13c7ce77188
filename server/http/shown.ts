import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import type { BlogRow } from '#server/store/blog.ts'
import { findBlog } from '#server/store/blog.ts'
import { findFollow } from '#server/store/follow.ts'
import { findPost } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { findBlockOfNode } from '#server/store/site-block.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { AppContext } from './context.ts'
import { blogAddress, isSiteFeed } from './places.ts'
import { requirePermit } from './readable.ts'

type Deps = Pick<AppContext, 'config' | 'state' | 'index' | 'permits'>

/** Why somebody may read a feed: it is the site's, or they follow it; a stranger sees what is on the web anyway. */
export type Access = 'site' | 'follower' | 'stranger'

export async function findAccess(deps: Deps, { service, node }: NodeAddress, person?: Person): Promise<Access> {
  const address = { service, node }
  if (await isSiteFeed(deps, address)) return 'site'
  if (person === undefined) return 'stranger'
  // What is on their own account is theirs to read, whoever follows it.
  if (person.jid === service) return 'follower'
  return (await findFollow(deps.state, person.jid, address)) === undefined ? 'stranger' : 'follower'
}

/** The feed, if there is anything to show of it: 404 for an unknown, closed or hidden one, and for one that this person, or without one everybody, may not read, 410 for a deleted one. */
export async function requireFeed(
  deps: Pick<Deps, 'index' | 'state' | 'permits'>,
  address: NodeAddress,
  person?: Pick<Person, 'jid'>,
): Promise<BlogRow> {
  const { index, state } = deps
  const blog = await findBlog(index, address)
  const isBlocked = blog !== undefined && (await findBlockOfNode(state, address)) !== undefined
  if (blog === undefined || isBlocked || blog.status === 'closed' || isHidden(blog))
    throw new AppError('not-found', 'There is no such blog.')
  if (blog.status === 'deleted') throw new AppError('gone', 'This blog was deleted.')
  await requirePermit(deps, blog, person)
  return blog
}

/** Whether nothing of a feed is shown for now; the page of one that was only emptied still is. */
function isHidden({ status, hiddenFor }: BlogRow): boolean {
  return status === 'hidden' && hiddenFor !== 'emptied'
}

/** The post, if this person, or without one anybody, may see it. */
export async function requirePost(deps: Deps, address: ItemAddress, person?: Person): Promise<PostRow> {
  const post = await findPost(deps.index, address, 'restricted')
  if (post === 'gone') throw new AppError('gone', 'This post was deleted.')
  if (post === undefined) throw new AppError('not-found', 'There is no such post.')
  await requireFeed(deps, address, person)
  const isOwn = person !== undefined && post.author?.jid === person.jid
  if (isOwn || post.alternate !== undefined || (await findAccess(deps, address, person)) !== 'stranger') return post
  throw new AppError('not-found', 'There is no such post.')
}

/** A blog is never called by its address. */
export function blogTitle({ title, author }: BlogRow): string {
  return title ?? author.name
}

/** A person's own blog, also before there is one. */
export async function findOwnBlog({ index }: Pick<Deps, 'index'>, person: Person): Promise<BlogRow> {
  const address = blogAddress(person.jid)
  const found = await findBlog(index, address)
  const author = { jid: person.jid, name: person.name }
  return (
    found ?? { kind: 'blog', address, author, createdAt: new Date(), status: 'open', isWaiting: true, backfill: 'none' }
  )
}
