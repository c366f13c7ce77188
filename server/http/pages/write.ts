import type { FastifyReply } from 'fastify'
import { findConsentQuestion } from '#server/feeds/authors.ts'
import { listPostDrafts } from '#server/people/drafts.ts'
import type { Draft } from '#server/store/draft.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { asItemId } from '#shared/address.ts'
import { postPath, writeItemSegment } from '#shared/paths.ts'
import type { Notice, WriteView } from '#web/views.ts'
import { languagesWith } from '../languages.ts'
import { blogAddress } from '../places.ts'
import { findOwnBlog } from '../shown.ts'
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
  readonly status?: number
}

export async function sendWritePage(web: Web, exchange: Exchange, page: WritePage): Promise<FastifyReply> {
  const notices = [...describeProblem(page), ...(await describeConsent(web, page.draft))]
  const title = page.draft.edits === undefined ? 'Write' : 'Edit'
  const view = await createWriteView(web, page)
  return sendPage(web, exchange, { name: 'write', status: page.status, head: { title, noindex: true, notices }, view })
}

/** The page as it would be, and the form again. */
export async function sendPreviewPage(web: Web, exchange: Exchange, page: WritePage): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A preview needs a person')
  const { draft } = page
  const blog = await findOwnBlog(web.ctx, person)
  const address = draft.edits ?? { ...blogAddress(draft.jid), item: asItemId('preview') }
  const post = viewDraft(web, readPostDraft(draft), { blog, person, address, published: web.ctx.clock() })
  // What is not published yet has no address to link its date to.
  const shown = draft.edits === undefined ? { ...post, url: '#main' } : post
  const view = { ...(await createWriteView(web, { ...page, isReopened: true })), post: shown }
  return sendPage(web, exchange, { name: 'preview', head: { title: 'Preview', noindex: true }, view })
}

async function createWriteView(
  { ctx, tokens }: Web,
  { draft, isReopened }: WritePage,
): Promise<Omit<WriteView, 'layout'>> {
  const { id, jid, edits, baseUpdated, title, text, tags, language, summary, comments, updatedAt } = draft
  const path = edits === undefined ? undefined : postPath({ domain: ctx.siteDomain }, edits)
  const query = edits === undefined ? '' : `?${new URLSearchParams({ edits: writeItemSegment(edits.item) })}`
  return {
    action: path === undefined ? '/write' : `${path}/edit`,
    token: tokens.issue(jid),
    key: id,
    base: baseUpdated?.toISOString(),
    isEdit: edits !== undefined,
    ...{ jid, title, text, tags, language, summary, comments },
    languages: [{ code: '', name: '–' }, ...languagesWith(language)],
    ...(isReopened ? { savedAt: updatedAt.toISOString() } : {}),
    words: countWords(text),
    saveUrl: `/drafts/${encodeURIComponent(id)}${query}`,
    draftsUrl: '/drafts',
    draftCount: (await listPostDrafts(ctx.state, jid)).length,
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
