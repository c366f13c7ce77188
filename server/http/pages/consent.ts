import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { HiddenPost } from '#server/store/author.ts'
import type { Notice } from '#web/views.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

interface Question {
  readonly posts: readonly HiddenPost[]
  readonly next: string
  readonly isNo: boolean
  /** Whether other posts were listed when the owner last answered. */
  readonly isChanged: boolean
}

/** Whether a blog that was there before may be opened: asked once, and here again whenever its owner wants. */
export function sendConsentPage(
  web: Web,
  exchange: Exchange,
  { posts, next, isNo, isChanged }: Question,
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
        : `Your account has a blog that not everybody can read. To publish here it has to be open: ${sayCount(posts.length)}${isChanged ? ' The list has changed since you answered.' : ''}`,
      ...(isNo ? {} : { list: posts.map(sayPost) }),
      action: '/consent',
      token: web.tokens.issue(person),
      button: isNo ? 'Keep it closed' : 'Open it',
      cancelUrl: isNo ? '/consent' : `/consent?${no}`,
      fields: { answer: isNo ? 'no' : 'yes', next, ...(isNo ? {} : { listed: digestPosts(posts) }) },
    },
  })
}

/** Names a list of posts, so that a yes counts only for what its page listed. */
export function digestPosts(posts: readonly HiddenPost[]): string {
  const items = posts.map(({ item }) => item ?? '').sort()
  return createHash('sha256').update(JSON.stringify(items)).digest('base64url')
}

function sayCount(count: number): string {
  if (count === 0) return 'it has no posts yet.'
  return count === 1 ? 'this post would become public.' : `these ${count} posts would become public.`
}

function sayPost({ n, date }: HiddenPost): string {
  const day = date?.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
  return `No. ${n}, ${day ?? 'without a date'}`
}

/** What the owner of a blog that is not open reads, wherever it matters. */
export function describeConsent(consent: string | undefined): Notice[] {
  if (consent !== 'asked' && consent !== 'refused') return []
  const text = 'Your blog is on your account and not open to everybody, so it is not shown here.'
  return [{ lead: 'Closed.', text, link: { href: '/consent', text: 'Open it' }, kind: 'waiting' }]
}
