import type { FastifyReply } from 'fastify'
import { findConsentQuestion } from '#server/feeds/authors.ts'
import { listPostDrafts } from '#server/people/drafts.ts'
import type { Person } from '#server/people/people.ts'
import type { BlogRow } from '#server/store/blog.ts'
import type { Draft } from '#server/store/draft.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { asItemId, sameAddress, writeXmppUri } from '#shared/address.ts'
import { nodePath, postPath, writeItemSegment } from '#shared/paths.ts'
import type { Notice, WriteView } from '#web/views.ts'
import { languagesWith } from '../languages.ts'
import { blogAddress } from '../places.ts'
import { blogTitle, findOwnBlog, requireFeed } from '../shown.ts'
import type { Web } from '../web.ts'
import { readPostDraft } from '../write-form.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence, viewDraft } from './post-view.ts'

export interface WritePage {
  readonly draft: Draft
  /** What became of it when it was sent. */
  readonly row?: OutboxRow
  readonly isReopened?: boolean
  readonly problem?: string
  /** The words typed for a picture that could not be added. */
  readonly pictureAlt?: string
  readonly status?: number
}

export async function sendWritePage(web: Web, exchange: Exchange, page: WritePage): Promise<FastifyReply> {
  const notices = [...describeProblem(page), ...(await describeConsent(web, page.draft))]
  const title = page.draft.edits === undefined ? 'Write' : 'Edit'
  const view = await createWriteView(web, exchange, page)
  return sendPage(web, exchange, { name: 'write', status: page.status, head: { title, noindex: true, notices }, view })
}

/** The page as it would be, and the form again. */
export async function sendPreviewPage(web: Web, exchange: Exchange, page: WritePage): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A preview needs a person')
  const { draft } = page
  const blog = await findTarget(web, person, draft)
  const address = draft.edits ?? { ...blog.address, item: asItemId('preview') }
  const post = viewDraft(web, readPostDraft(draft), { blog, person, address, published: web.ctx.clock() })
  // What is not published yet has no address to link its date to.
  const shown = draft.edits === undefined ? { ...post, url: '#main' } : post
  const view = { ...(await createWriteView(web, exchange, { ...page, isReopened: true })), post: shown }
  return sendPage(web, exchange, { name: 'preview', head: { title: 'Preview', noindex: true }, view })
}

/** The feed that a draft is for. */
async function findTarget({ ctx }: Web, person: Person, { edits, to }: Draft): Promise<BlogRow> {
  const { service, node } = edits ?? to ?? blogAddress(person.jid)
  const isOwn = sameAddress({ service, node }, blogAddress(person.jid))
  return isOwn ? findOwnBlog(ctx, person) : requireFeed(ctx, { service, node }, person)
}

async function createWriteView(
  web: Web,
  { visit: { person } }: Exchange,
  { draft, isReopened, pictureAlt }: WritePage,
): Promise<Omit<WriteView, 'layout'>> {
  if (person === undefined) throw new TypeError('A form to write in needs a person')
  const { ctx, tokens } = web
  const { id, jid, edits, baseUpdated, title, text, tags, language, summary, comments, pictures, updatedAt } = draft
  const blog = await findTarget(web, person, draft)
  const path = edits === undefined ? undefined : postPath({ domain: ctx.siteDomain }, edits)
  const of = edits === undefined ? undefined : writeXmppUri({ service: edits.service, node: edits.node })
  const isOfBlog = edits === undefined || blog.kind === 'blog'
  const query =
    edits === undefined
      ? ''
      : `?${new URLSearchParams({ edits: writeItemSegment(edits.item), ...(isOfBlog || of === undefined ? {} : { of }) })}`
  return {
    action: path === undefined ? '/write' : `${path}/edit`,
    token: tokens.issue(person),
    key: id,
    base: baseUpdated?.toISOString(),
    isEdit: edits !== undefined,
    ...{ jid, title, text, tags, language, summary, comments, pictureAlt },
    languages: [{ code: '', name: '–' }, ...languagesWith(language)],
    ...(isReopened ? { savedAt: updatedAt.toISOString() } : {}),
    words: countWords(text),
    saveUrl: `/drafts/${encodeURIComponent(id)}${query}`,
    draftsUrl: '/drafts',
    draftCount: (await listPostDrafts(ctx.state, jid)).length,
    ...(blog.kind === 'community'
      ? {
          to: {
            uri: writeXmppUri(blog.address),
            title: blogTitle(blog),
            url: nodePath({ domain: ctx.siteDomain }, blog.address),
          },
        }
      : {}),
    ...(pictures === undefined
      ? {}
      : { pictures: pictures.map((picture) => ({ ...picture, src: web.pictures.preview.writePath(picture.href) })) }),
    ...(path === undefined ? {} : { deleteUrl: `${path}/delete`, cancelUrl: path }),
  }
}

function describeProblem({ problem, row, isReopened, draft }: WritePage): Notice[] {
  if (problem !== undefined) return [{ lead: 'Not published.', text: asSentence(problem), kind: 'error' }]
  if (row?.status === 'refused') {
    return [{ lead: 'Not published.', text: asSentence(row.problem ?? 'Your server refused it'), kind: 'error' }]
  }
  if (row?.status === 'waiting') {
    return [{ lead: 'Waiting to be published.', text: asSentence(row.problem ?? 'It is on its way'), kind: 'waiting' }]
  }
  if (!isReopened || draft.edits === undefined) return []
  return [{ lead: 'Not published yet.', text: 'These are the changes that you began.' }]
}

async function describeConsent({ ctx }: Web, { jid }: Draft): Promise<Notice[]> {
  if ((await findConsentQuestion(ctx, jid)) === undefined) return []
  const text = 'Your account has a blog already, and it is not public. Canto needs your word before it opens it.'
  return [{ lead: 'A question first.', text, link: { href: '/consent', text: 'Answer it' }, kind: 'waiting' }]
}

/** Words as the language of the text has them; long texts by their spaces. */
function countWords(text: string): number {
  if (text.length > 50_000) return text.match(/\S+/g)?.length ?? 0
  const segments = new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)
  return [...segments].filter(({ isWordLike }) => isWordLike).length
}
