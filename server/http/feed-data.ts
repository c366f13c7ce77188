import { type Names, readPeopleNames } from '#server/feeds/names.ts'
import type { BlogRow } from '#server/store/blog.ts'
import type { Page } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { writeXmppUri } from '#shared/address.ts'
import type { Feed, FeedEntry } from '#shared/atom.ts'
import { feedEntryId } from '#shared/atom.ts'
import { sayAddress } from '#shared/look-alike.ts'
import { joinHtml, picturesToHtml, type SafeHtml } from '#shared/markup.ts'
import { postPath } from '#shared/paths.ts'
import { findTemplate } from '#shared/profiles/index.ts'
import type { AppContext } from './context.ts'

type Deps = Pick<AppContext, 'config' | 'siteDomain'>

/** What a feed is of; its paths are of the site. */
export interface FeedSource {
  readonly id: string
  readonly title: string
  readonly subtitle?: string | undefined
  readonly pagePath: string
  readonly feedPath: string
  readonly blog?: BlogRow | undefined
  /** When it came to be: the date of a feed without entries (RFC 4287 §4.2.15 wants one). */
  readonly since: Date
  /** Somebody's own, of what they follow: also what only its service says who wrote it. */
  readonly isPrivate?: boolean
}

/** The query of one page of a feed, in its addresses. */
export interface FeedQuery {
  readonly before?: string | undefined
  readonly after?: string | undefined
}

/** The names of who wrote the posts of a feed. */
export function readFeedNames({ index }: Pick<AppContext, 'index'>, { rows }: Page<PostRow>): Promise<Names> {
  return readPeopleNames(
    index,
    rows.map(({ author }) => author),
  )
}

export function createPostFeed(
  deps: Deps,
  source: FeedSource,
  { query, page, names }: { query: FeedQuery; page: Page<PostRow>; names: Names },
): Feed {
  // Who reads a community takes its service's word for who wrote there.
  const takesItsWord = source.isPrivate === true || source.blog?.kind === 'community'
  const mayHold = ({ credit }: PostRow) => credit === 'credited' || (takesItsWord && credit === 'according')
  const entries = page.rows.filter(mayHold).map((row) => createPostEntry(deps, source, { row, names }))
  const absolute = (found: FeedQuery) => writeAddress(deps, source.feedPath, found)
  return {
    ...describeSource(deps, source),
    self: absolute(query),
    first: absolute({}),
    previous: page.newer === undefined ? undefined : absolute({ after: page.newer }),
    next: page.older === undefined ? undefined : absolute({ before: page.older }),
    updated: newest(entries) ?? source.since,
    entries,
  }
}

function createPostEntry(
  deps: Deps,
  { isPrivate }: FeedSource,
  { row, names }: { row: PostRow; names: Names },
): FeedEntry {
  const path = postPath({ domain: deps.siteDomain }, row.address)
  const alternate = writeAddress(deps, path)
  const feed = isPrivate ? undefined : writeAddress(deps, `${path}/atom.xml`)
  // A service that is not believed must not take the place of an author's own entry in somebody's reader.
  const author = row.credit === 'credited' ? row.author : undefined
  return {
    id: feedEntryId(row.address, author?.jid, row.atomId),
    ...{
      title: titleOf(row, names),
      html: withPictures(row),
      summary: row.summary,
      published: row.published,
      updated: row.updated,
    },
    ...(row.repost && { via: row.repost.alternate ?? writeXmppUri(row.repost.via) }),
    author: author === undefined ? { name: sayClaimed(row, names) } : { jid: author.jid, name: names.say(author) },
    ...{ tags: row.tags, language: row.language, alternate },
    xmppUri: writeXmppUri(row.address),
    ...(row.pictures.length === 0
      ? {}
      : { enclosures: row.pictures.map(({ alt, ...rest }) => ({ ...rest, title: alt })) }),
    comments: row.comments && { page: `${alternate}#comments`, feed, count: row.commentCount },
  }
}

/** A name that only the service of the node vouches for. */
function sayClaimed({ author, address }: PostRow, names: Names): string {
  const name = author === undefined ? '' : names.say(author)
  return `${name} (according to ${sayAddress(address.service)})`
}

/** Pictures stand as on the post's page: those of a gallery before its words, those of any other post after them. */
function withPictures({ html, pictures, profile }: PostRow): SafeHtml {
  if (pictures.length === 0) return html
  const figures = picturesToHtml(pictures)
  return joinHtml(findTemplate(profile) === 'gallery' ? [figures, html] : [html, figures])
}

/** A repost says who shared it: in a list of titles nothing else does. */
function titleOf({ title, author, repost }: PostRow, names: Names): string {
  return repost === undefined || author === undefined ? title : `${names.say(author)} shared: ${title}`
}

export function describeSource(deps: Deps, source: FeedSource) {
  const { blog } = source
  return {
    ...{ id: source.id, title: source.title, subtitle: source.subtitle },
    alternate: writeAddress(deps, source.pagePath),
    xmppUri: blog && writeXmppUri(blog.address),
    author: blog?.author,
    language: blog?.language,
  }
}

/** The date of the newest change; undefined where there are no entries. */
export function newest(entries: readonly FeedEntry[]): Date | undefined {
  const [first, ...others] = entries.map(({ updated }) => updated)
  return first && others.reduce((found, updated) => (updated > found ? updated : found), first)
}

export function writeAddress({ config }: Deps, path: string, query: FeedQuery = {}): string {
  const url = new URL(path, config.url)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}
