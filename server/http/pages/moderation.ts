import type { FastifyReply } from 'fastify'
import { openCase } from '#server/feeds/moderation/decide.ts'
import { listModeratedFeeds } from '#server/feeds/moderation/moderated-feed.ts'
import { mayBeTold } from '#server/feeds/notify/readable.ts'
import type { Person } from '#server/people/people.ts'
import { findAuthor } from '#server/store/author.ts'
import { feedKey, listFeeds } from '#server/store/blog.ts'
import { listBlocks } from '#server/store/community.ts'
import { type Decision, listDecisions } from '#server/store/decision.ts'
import { listJudged } from '#server/store/judged-entry.ts'
import { listPostTitles } from '#server/store/post-titles.ts'
import { addressKey, type ItemAddress, type ItemId, type NodeAddress, writeXmppUri } from '#shared/address.ts'
import type { DoneView, JudgedView, Notice } from '#web/views.ts'
import { blogTitle } from '../shown.ts'
import type { Web } from '../web.ts'
import { viewJudged } from './judged-view.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

const LIMIT = 50

export interface ModerationPage {
  /** What was done just now. */
  readonly done?: Omit<DoneView, 'token' | 'action'>
  readonly problem?: string
  /** Why nothing shows here of what was sent, if so. */
  readonly sent?: string
  readonly status?: number
  /** One that was asked for. */
  readonly about?: ItemAddress
  /** From 0. */
  readonly page?: number
}

/** What waits for somebody, what they removed, and whom they shut out, on all feeds that they look after. */
export async function sendModerationPage(web: Web, exchange: Exchange, page: ModerationPage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Moderation needs a person')
  const blogs = await listModeratedFeeds(ctx.state, person.jid)
  const { page: at = 0, done } = page
  const list = async (what: Decision['what']) =>
    listDecisions(ctx.state, { blogs, what, limit: LIMIT + 1, offset: what === 'held' ? at * LIMIT : 0 })
  const [held, removed] = [await list('held'), await list('removed')]
  const view = createViewer(web, person, await findTitles(web, [...held, ...removed]))
  const feeds = await listFeeds(ctx.index, blogs)
  const titleOf = (address: NodeAddress) => {
    const feed = feeds.get(feedKey(address))
    return feed === undefined ? address.node : blogTitle(feed)
  }
  const token = tokens.issue(person)
  const author = await findAuthor(ctx.state, person.jid)
  return sendPage(web, exchange, {
    name: 'moderation',
    status: page.status,
    head: {
      ...{ title: 'Moderation', noindex: true },
      notices: describe(page),
    },
    view: {
      token,
      ...(done !== undefined && { done: { ...done, token, action: '/moderation' } }),
      ...(page.about !== undefined && { about: await viewAbout(web, person, page.about) }),
      held: await view(held.slice(0, LIMIT), true),
      // What an operator took out of the pages is not the owner's to put back.
      removed: await view(removed.filter(({ payload }) => payload !== undefined).slice(0, LIMIT), false),
      ...(held.length > LIMIT && { moreUrl: `/moderation?page=${at + 1}#held` }),
      blocks: (await listBlocks(ctx.state, blogs)).map(({ jid, address }) => ({
        ...{ jid, blog: writeXmppUri(address), title: titleOf(address) },
      })),
      ...(author !== undefined && { holds: author.holds }),
    },
  })
}

function describe({ problem, sent }: ModerationPage): Notice[] {
  if (problem !== undefined) return [{ lead: 'Not done.', text: problem, kind: 'error' }]
  return sent === undefined ? [] : [{ lead: 'Sent.', text: sent, kind: 'waiting' }]
}

/** By decisions, with what the index has of them; what waits and is gone needs nobody any more. */
function createViewer(web: Web, { jid: viewer }: Person, titles: Titles) {
  return async (decisions: readonly Decision[], isOnlyThere: boolean): Promise<JudgedView[]> => {
    // Somebody’s post may link to comments that they may not read themselves.
    const readable: Decision[] = []
    for (const each of decisions) if (await mayBeTold(web.ctx, viewer, [each.address])) readable.push(each)
    const entries = await listJudged(
      web.ctx.index,
      readable.map(({ address }) => address),
    )
    const known = new Map(entries.map((entry) => [addressKey(entry.address), entry]))
    return readable.flatMap((decision) => {
      const { address, post } = decision
      const entry = known.get(addressKey(address))
      if (entry === undefined && isOnlyThere) return []
      return [viewJudged(web, { address, post, entry, decision, viewer, titles: titles(post) })]
    })
  }
}

type Titles = (post: NodeAddress) => ReadonlyMap<ItemId, string>

async function findTitles({ ctx }: Web, decisions: readonly Pick<Decision, 'post'>[]): Promise<Titles> {
  const byFeed = new Map<string, ReadonlyMap<ItemId, string>>()
  for (const { post } of decisions) {
    if (byFeed.has(feedKey(post))) continue
    const items = decisions.filter((each) => feedKey(each.post) === feedKey(post)).map((each) => each.post.item)
    byFeed.set(feedKey(post), await listPostTitles(ctx.index, post, [...new Set(items)]))
  }
  return (post) => byFeed.get(feedKey(post)) ?? new Map()
}

async function viewAbout(web: Web, person: Person, address: ItemAddress): Promise<JudgedView | undefined> {
  const { entry, decision, post } = await openCase(web.ctx, person.jid, address)
  if (!(await mayBeTold(web.ctx, person.jid, [address]))) return undefined
  if (entry === undefined || entry.hold !== undefined) return undefined
  const titles = (await findTitles(web, [{ post }]))(post)
  return viewJudged(web, { address, post, entry, decision, viewer: person.jid, titles })
}
