import type { Names } from '#server/feeds/names.ts'
import type { PostTask } from '#server/feeds/task.ts'
import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import type { BlogRow } from '#server/store/blog.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { Entry, PostDraft } from '#shared/entry.ts'
import { readEntry, writeEntry } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import type { BareJid } from '#shared/jid.ts'
import { sayAddress } from '#shared/look-alike.ts'
import type { SafeHtml } from '#shared/markup.ts'
import { linkMentions, makeScrollable, proxyPictures } from '#shared/markup.ts'
import { nodePath, postPath, tagPath } from '#shared/paths.ts'
import { findProfile, findTemplate } from '#shared/profiles/index.ts'
import { escapeXml } from '#shared/text.ts'
import type { PictureView, PostView, WaitingView } from '#web/views.ts'
import { blockPath } from '../community-paths.ts'
import type { MentionPath } from '../mention-paths.ts'
import type { PictureAddresses } from '../picture/pictures.ts'
import type { Rights } from '../rights.ts'
import { blogTitle } from '../shown.ts'
import type { Web } from '../web.ts'
import { viewRepost } from './share.ts'

/**
 * The most pictures that a comment shows: fewer than a reader may have asked of unknown hosts at once
 * (`fetch-places.ts`), so that one comment with dead addresses keeps no other picture waiting.
 */
export const MOST_COMMENT_PICTURES = 10

interface Deps extends Pick<Web, 'ctx'> {
  readonly pictures: PictureAddresses
}

/** Of whose blog, and who looks at it. */
export interface PostPlace {
  readonly blog: BlogRow
  readonly person?: Person | undefined
  /** What they may do with it; nothing unless told. */
  readonly rights?: Rights
  /** Paths of those whom the post mentions; only where its whole text is shown. */
  readonly pathOf?: MentionPath
  /** Names of those who wrote what is on the page. */
  readonly names: Names
}

export function viewPost(deps: Deps, row: PostRow, { blog, person, rights, pathOf, names }: PostPlace): PostView {
  const site = { domain: deps.ctx.siteDomain }
  const url = postPath(site, row.address)
  const name = row.author?.name ?? row.claimedName
  return {
    url,
    ...{
      title: row.title,
      isUntitled: row.isUntitled,
      excerpt: row.excerpt,
      summary: row.summary,
      language: row.language,
    },
    html: forPage(deps, pathOf === undefined ? row.html : linkMentions(row.html, row.marks, pathOf)),
    ...viewPictures(deps, row),
    template: findTemplate(row.profile),
    published: row.published.toISOString(),
    ...(row.isEdited ? { edited: row.updated.toISOString() } : {}),
    ...(name === undefined ? {} : { author: viewAuthor(deps, row, { name, names }) }),
    ...(row.credit === 'according' ? { accordingTo: sayAddress(row.address.service) } : {}),
    isUnverified: row.credit === 'unverified',
    blog: { title: blogTitle(blog), url: nodePath(site, blog.address) },
    tags: row.tags.map((tag) => ({ name: tag, url: tagPath(site, tag, blog.address) })),
    repost: viewRepost(deps, row, names),
    commentCount: row.repost?.commentCount ?? row.commentCount,
    ...(row.heartCount > 0 ? { heartCount: row.heartCount } : {}),
    // "No comments" would be a claim about those that only some may read.
    hasComments: (row.repost ?? row).comments !== undefined && (row.commentCount > 0 || !row.hasClosedThread),
    ...(blog.status !== 'restricted' && mayShare(row, person) ? { shareUrl: `${url}/share` } : {}),
    ...(rights?.mayEdit ? { editUrl: `${url}/edit` } : {}),
    ...(rights?.mayDelete ? { deleteUrl: `${url}/delete` } : {}),
    ...(rights?.isModerator && row.publisher !== undefined ? { blockUrl: blockPath(row.address, row.publisher) } : {}),
  }
}

function mayShare({ author, repost }: PostRow, person: Person | undefined): boolean {
  return person?.isBlogger === true && author?.jid !== person.jid && repost === undefined
}

/** Those that its text does not show already. */
function viewPictures(
  { pictures }: Pick<Deps, 'pictures'>,
  entry: Pick<PostRow, 'pictures' | 'html'>,
): { pictures?: readonly PictureView[] } {
  const shown = entry.pictures.filter(({ href }) => !entry.html.includes(`src="${escapeXml(href)}"`))
  if (shown.length === 0) return {}
  return { pictures: shown.map(({ href, alt }) => ({ src: pictures.writePath(href), alt })) }
}

/** For what is not in the index. */
export function forPreview({ ctx, pictures }: Pick<Web, 'ctx' | 'pictures'>): Deps {
  return { ctx, pictures: pictures.preview }
}

/** A post that is only in its author's outbox. */
export function viewOutboxPost(
  web: Pick<Web, 'ctx' | 'pictures'>,
  row: OutboxRow,
  { blog, person }: Pick<PostPlace, 'blog' | 'person'>,
): PostView {
  const { draft, draftId, published } = readTask(row) as PostTask
  const deps = forPreview(web)
  const entry = previewEntry(deps, {
    draft,
    address: row.address,
    jid: row.account,
    name: person?.name ?? blog.author.name,
    published: new Date(published),
  })
  return {
    ...viewEntry(deps, entry, { address: row.address, blog, published }),
    // Once it is out there is no draft any more.
    ...(row.status !== 'done' && { editUrl: `/write?${new URLSearchParams({ draft: draftId })}` }),
    waiting: viewWaiting(row),
  }
}

/** A post as it would be, by the way that every post takes to its page. */
export function viewDraft(
  web: Pick<Web, 'ctx' | 'pictures'>,
  draft: PostDraft,
  { blog, person, address, published }: { blog: BlogRow; person: Person; address: ItemAddress; published: Date },
): PostView {
  const deps = forPreview(web)
  const entry = previewEntry(deps, { draft, address, jid: person.jid, name: person.name, published })
  return viewEntry(deps, entry, { address, blog, published: published.toISOString() })
}

export function viewWaiting({ problem, nextTry, status, reason }: OutboxRow): WaitingView {
  return {
    reason: asSentence(problem ?? reason ?? 'It is on its way'),
    ...(nextTry === undefined ? {} : { nextTry: nextTry.toISOString() }),
    ...(status === 'refused' ? { isRefused: true } : {}),
  }
}

/** With a full stop, wherever the words come from. */
export function asSentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`
}

/**
 * As a page shows it: pictures of others come through us, more than `mostPictures` are links, and what is wide scrolls
 * with the keyboard too.
 */
export function forPage({ ctx, pictures }: Deps, html: SafeHtml, mostPictures?: number): SafeHtml {
  const mapPicture = (src: string) =>
    src.startsWith('/') || src.startsWith(ctx.config.url.href) ? src : pictures.writePath(src)
  const withPictures = proxyPictures(html, mapPicture, mostPictures)
  return makeScrollable(withPictures)
}

function viewAuthor({ ctx }: Deps, { author, address }: PostRow, { name, names }: { name: string; names: Names }) {
  if (author === undefined) return { name }
  const isOwnBlog = author.jid === address.service
  const url = isOwnBlog ? nodePath({ domain: ctx.siteDomain }, address) : undefined
  return { name, jid: author.jid, beside: names.beside(author), url }
}

interface Preview {
  readonly draft: PostDraft
  readonly address: ItemAddress
  /** Who writes. */
  readonly jid: BareJid
  readonly name: string
  readonly published: Date
}

function previewEntry({ ctx }: Deps, { draft, address, jid, name, published }: Preview): Entry | undefined {
  const author = { jid, name }
  const atomId = createTagUri(jid, published, address.item)
  return readEntry(writeEntry({ draft, address, author, atomId, published, updated: ctx.clock() }))
}

function viewEntry(
  deps: Deps,
  entry: Entry | undefined,
  { address, blog, published }: { address: ItemAddress; blog: BlogRow; published: string },
): PostView {
  const site = { domain: deps.ctx.siteDomain }
  const { author } = blog
  const url = nodePath(site, blog.address)
  return {
    url: postPath(site, address),
    title: entry?.title ?? '',
    isUntitled: entry?.isUntitled ?? true,
    html: forPage(deps, entry?.html ?? ('' as SafeHtml)),
    ...(entry?.html === undefined ? {} : viewPictures(deps, { pictures: entry.pictures, html: entry.html })),
    excerpt: entry?.excerpt ?? '',
    ...{ summary: entry?.summary, language: entry?.language, published },
    template: findTemplate(findProfile({ type: blog.type, node: blog.address.node })?.name ?? ''),
    author: {
      name: entry?.author.name ?? author.name,
      jid: entry?.author.jid ?? author.jid,
      ...(blog.kind === 'blog' ? { url } : {}),
    },
    blog: { title: blogTitle(blog), url },
    tags: (entry?.tags ?? []).map((tag) => ({ name: tag, url: tagPath(site, tag, blog.address) })),
    commentCount: 0,
    hasComments: false,
  }
}
