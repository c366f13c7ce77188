import type { FastifyReply } from 'fastify'
import { OWN_BLOG } from '#server/feeds/follow.ts'
import { type Names, readPeopleNames } from '#server/feeds/names.ts'
import type { Preview, PreviewPost } from '#server/feeds/preview.ts'
import type { PersonName } from '#server/store/post-row.ts'
import { writeXmppUri } from '#shared/address.ts'
import { sayAddress } from '#shared/look-alike.ts'
import { nodePath } from '#shared/paths.ts'
import type { PreviewedPostView } from '#web/views.ts'
import type { Discovered } from '../discover.ts'
import type { Web } from '../web.ts'
import { shortAddress } from './follow-view.ts'
import { requirePerson } from './following.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

export interface PreviewPage extends Discovered {
  readonly preview: Preview
  readonly isFollowed: boolean
  /** Whether it is the blog of the person who looks. */
  readonly isOwn: boolean
}

export async function sendFollowPreviewPage(web: Web, exchange: Exchange, page: PreviewPage): Promise<FastifyReply> {
  const { address, feedUrl, preview, isFollowed, isOwn } = page
  const person = requirePerson(exchange)
  const title = preview.title ?? preview.name ?? shortAddress(address)
  const names = await readPeopleNames(web.ctx.index, preview.posts.map(claimedBy))
  const avatar = preview.avatar && web.pictures.keep(preview.avatar)
  return sendPage(web, exchange, {
    name: 'follow-preview',
    head: { title: `Follow ${title}`, noindex: true },
    view: {
      token: web.tokens.issue(person),
      ...{ title, isFollowed, description: preview.description, language: preview.language, feedUrl },
      ...{ name: preview.name, address: shortAddress(address), uri: writeXmppUri(address) },
      ...(avatar === undefined ? {} : { avatar }),
      posts: preview.posts.map((post) => viewPreviewed(post, names)),
      problem: isOwn ? OWN_BLOG : preview.problem,
      mayFollow: preview.isMissing !== true && !isOwn,
      url: nodePath({ domain: web.ctx.siteDomain }, address),
    },
  })
}

function claimedBy({ entry, author }: PreviewPost): PersonName | undefined {
  return author && { jid: author, name: entry.author.name ?? sayAddress(author) }
}

function viewPreviewed(post: PreviewPost, names: Names): PreviewedPostView {
  const { entry } = post
  const author = claimedBy(post)
  const published = entry.published ?? entry.updated
  return {
    title: entry.title,
    isUntitled: entry.isUntitled,
    excerpt: entry.summary ?? entry.excerpt,
    language: entry.language,
    ...(published === undefined ? {} : { published: published.toISOString() }),
    ...(author === undefined ? {} : { author: { name: author.name, beside: names.beside(author) } }),
  }
}
