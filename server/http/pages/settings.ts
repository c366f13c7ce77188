import type { FastifyReply } from 'fastify'
import type { HiddenPost } from '#server/store/author.ts'
import { findAuthor } from '#server/store/author.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { blogPath } from '#shared/paths.ts'
import type { Notice } from '#web/views.ts'
import { languagesWith } from '../languages.ts'
import { findOwnBlog } from '../shown.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence } from './post-view.ts'

export interface SettingsFields {
  readonly title: string
  readonly description: string
  readonly name: string
  readonly language: string
}

export interface SettingsPage {
  readonly fields?: SettingsFields
  readonly isSaved?: boolean
  readonly problem?: string
  readonly row?: OutboxRow
  readonly status?: number
}

export async function sendSettingsPage(web: Web, exchange: Exchange, page: SettingsPage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Settings need a person')
  const blog = await findOwnBlog(ctx, person)
  const { title = '', description = '', language = '' } = page.fields ?? blog
  const author = await findAuthor(ctx.state, person.jid)
  return sendPage(web, exchange, {
    name: 'settings',
    status: page.status,
    head: { title: 'Settings', noindex: true, notices: [...describe(page), ...describeConsent(author?.consent)] },
    view: {
      token: tokens.issue(person.jid),
      ...{ action: '/settings', signoutAction: '/signout', jid: person.jid, draftsUrl: '/drafts' },
      name: page.fields?.name ?? person.name,
      ...(person.isBlogger
        ? { blog: { title, description, language, url: blogPath({ domain: ctx.siteDomain }, person.jid) } }
        : {}),
      languages: languagesWith(language),
    },
  })
}

/** Whether a blog that was there before may be opened: asked once, and here again whenever its owner wants. */
export function sendConsentPage(
  web: Web,
  exchange: Exchange,
  { posts, next, isNo }: { posts: readonly HiddenPost[]; next: string; isNo: boolean },
): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A question needs a person')
  const no = new URLSearchParams({ answer: 'no', next })
  return sendPage(web, exchange, {
    name: 'confirm',
    head: { title: isNo ? 'Keep your blog closed' : 'Open your blog', noindex: true },
    view: {
      heading: isNo ? 'Keep your blog closed?' : 'Open your blog to everybody?',
      text: isNo
        ? 'Nothing changes on your account. What you write here waits until you open the blog, in the settings.'
        : `Your account has a blog that not everybody can read. To publish here it has to be open: ${sayCount(posts.length)}`,
      ...(isNo ? {} : { list: posts.map(sayPost) }),
      action: '/consent',
      token: web.tokens.issue(person.jid),
      button: isNo ? 'Keep it closed' : 'Open it',
      cancelUrl: isNo ? '/consent' : `/consent?${no}`,
      fields: { answer: isNo ? 'no' : 'yes', next },
    },
  })
}

function sayCount(count: number): string {
  if (count === 0) return 'it has no posts yet.'
  return count === 1 ? 'this post would become public.' : `these ${count} posts would become public.`
}

function sayPost({ n, date }: HiddenPost): string {
  const day = date?.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
  return `No. ${n}, ${day ?? 'without a date'}`
}

function describe({ isSaved, problem, row }: SettingsPage): Notice[] {
  if (problem !== undefined) return [{ lead: 'Not saved.', text: problem, kind: 'error' }]
  if (row?.status === 'refused')
    return [{ lead: 'Not saved.', text: asSentence(row.problem ?? 'Your server refused it'), kind: 'error' }]
  if (row !== undefined) {
    return [{ lead: 'Waiting.', text: asSentence(row.problem ?? 'Your server has not answered yet'), kind: 'waiting' }]
  }
  return isSaved ? [{ lead: 'Saved.', text: 'Your readers see it now.' }] : []
}

function describeConsent(consent: string | undefined): Notice[] {
  if (consent !== 'asked' && consent !== 'refused') return []
  const text = 'Your blog is on your account and not open to everybody, so it is not shown here.'
  return [{ lead: 'Closed.', text, link: { href: '/consent', text: 'Open it' }, kind: 'waiting' }]
}
