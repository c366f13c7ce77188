import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import type { BlogRow } from '#server/store/blog.ts'
import { findBlog } from '#server/store/blog.ts'
import { findPost } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { AppContext } from './context.ts'
import { blogAddress, isSiteAuthor } from './places.ts'

type Deps = Pick<AppContext, 'config' | 'state' | 'index'>

/** The blog, if it may be shown to everybody: 404 for an unknown or closed one, 410 for a deleted one. */
export async function requireBlog({ index }: Deps, jid: BareJid): Promise<BlogRow> {
  const blog = await findBlog(index, blogAddress(jid))
  if (blog === undefined || blog.status === 'closed') throw new AppError('not-found', 'There is no such blog.')
  if (blog.status === 'deleted') throw new AppError('gone', 'This blog was deleted.')
  return blog
}

/** The post, if it may be shown to everybody. Of blogs that are not the site's, only what its author put on the web. */
export async function requirePost(deps: Deps, address: ItemAddress): Promise<PostRow> {
  const post = await findPost(deps.index, address)
  if (post === 'gone') throw new AppError('gone', 'This post was deleted.')
  if (post === undefined) throw new AppError('not-found', 'There is no such post.')
  await requireBlog(deps, address.service)
  if (post.alternate === undefined && !(await isSiteAuthor(deps, address.service))) {
    throw new AppError('not-found', 'There is no such post.')
  }
  return post
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
  return found ?? { address, author, status: 'open', isWaiting: true }
}
