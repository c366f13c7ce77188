import type { FastifyReply, FastifyRequest } from 'fastify'
import { render } from '#web/render.ts'
import type { Layout, Notice, Views } from '#web/views.ts'
import { addVary, sendBody } from '../encoding.ts'
import { viewUnread } from '../unread.ts'
import type { Visit } from '../visit.ts'
import type { Web } from '../web.ts'

/** One request, its answer, and who asks. */
export interface Exchange<Request extends FastifyRequest = FastifyRequest> {
  readonly request: Request
  readonly reply: FastifyReply
  readonly visit: Visit
}

/** What a page says about itself; its addresses are paths of the site. */
export interface Head extends Omit<Layout, 'siteTitle' | 'assets' | 'person' | 'canonical'> {
  readonly canonicalPath?: string
}

export interface PageParts<Name extends keyof Views> {
  readonly name: Name
  readonly head: Head
  readonly view: Omit<Views[Name], 'layout'>
  readonly status?: number
}

/** Prints a page and sends it. */
export async function sendPage<Name extends keyof Views>(
  web: Web,
  exchange: Exchange,
  page: PageParts<Name>,
): Promise<FastifyReply> {
  const { request, reply } = exchange
  const view = { ...page.view, layout: await createLayout(web, exchange, page.head) } as Views[Name]
  // Nobody else may store it (it has cookies, tokens and names), but the back button has to find what was typed into it.
  reply.header('cache-control', 'private, no-cache')
  addVary(reply, 'Cookie')
  reply.code(page.status ?? 200)
  return sendBody(request, reply, { type: 'text/html; charset=utf-8', bytes: render(page.name, view) })
}

async function createLayout({ ctx, assets }: Web, { request, visit }: Exchange, head: Head): Promise<Layout> {
  const { canonicalPath, notices = [], ...rest } = head
  const { person } = visit
  return {
    siteTitle: ctx.config.title,
    assets: assets.path,
    ...rest,
    ...(canonicalPath === undefined ? {} : { canonical: new URL(canonicalPath, ctx.config.url).href }),
    ...(person && {
      person: {
        ...{ name: person.name, session: person.session, mayWrite: person.isBlogger },
        unread: await viewUnread(ctx, person),
      },
    }),
    notices: [...describeEnding(visit, request.url), ...notices],
  }
}

function describeEnding({ ending }: Visit, path: string): Notice[] {
  if (ending === undefined) return []
  const next = new URLSearchParams({ next: path.startsWith('/signin') ? '/' : path })
  const link = path.startsWith('/signin') ? {} : { link: { href: `/signin?${next}`, text: 'Sign in again' } }
  return [{ lead: 'You were signed out.', text: `${ending.reason} What you wrote is kept.`, kind: 'error', ...link }]
}
