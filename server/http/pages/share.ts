import type { FastifyReply } from 'fastify'
import { mayBlog } from '#server/config.ts'
import { type Names, readPeopleNames } from '#server/feeds/names.ts'
import { findOwnRepost, findShareObstacle, requireOpenNode } from '#server/feeds/sharing/queue-repost.ts'
import { findPlacedDraft } from '#server/people/drafts.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { listReposts } from '#server/store/repost.ts'
import { writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { postPath } from '#shared/paths.ts'
import type { RepostView, SharesView } from '#web/views.ts'
import { isSiteFeed, listSiteAuthors } from '../places.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence } from './post-view.ts'

/** So many are named. */
const NAMED = 20

export interface SharePage {
  readonly post: PostRow
  readonly words?: string
  readonly problem?: string
  readonly status?: number
}

/** Where a post is shared: as it is, with words of one's own, or quoted in a post. */
export async function sendSharePage(web: Web, exchange: Exchange, page: SharePage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { post, status } = page
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Sharing needs a person')
  const path = postPath({ domain: ctx.siteDomain }, post.address)
  await requireOpenNode(ctx.index, post.address)
  const own = await findOwnRepost(ctx, person.jid, post.address)
  const problem = (await findObstacle(web, post, person.jid)) ?? page.problem
  const author = post.author?.name ?? post.claimedName
  const kept = await findPlacedDraft(ctx.state, person.jid, { kind: 'repost', at: post.address })
  const words = page.words ?? kept?.text ?? ''
  const form = { action: `${path}/share`, token: tokens.issue(person), key: createFormKey(), words }
  const mayShare = own === undefined && (problem === undefined || problem === page.problem)
  return sendPage(web, exchange, {
    name: 'share',
    status,
    head: { title: 'Share', noindex: true },
    view: {
      post: { title: post.title, url: path, ...(author !== undefined && { author }) },
      quoteUrl: `/write?${new URLSearchParams({ quote: writeXmppUri(post.address) })}`,
      jid: person.jid,
      ...(mayShare ? { form } : {}),
      ...(problem === undefined ? {} : { problem: asSentence(problem) }),
      ...(own === undefined ? {} : { own: postPath({ domain: ctx.siteDomain }, own) }),
    },
  })
}

/** Why somebody cannot share a post as it is. */
export async function findObstacle({ ctx }: Web, post: PostRow, jid: BareJid): Promise<string | undefined> {
  const obstacle = findShareObstacle(post, jid)
  if (obstacle !== undefined) return obstacle
  if (post.alternate !== undefined || (await isSiteFeed(ctx, post.address))) return undefined
  return 'Its author has not put this post on the web, so it is not shared there either.'
}

/** Where an original is: here where everybody may see it, else where its author has it. */
export function viewRepost({ ctx }: Pick<Web, 'ctx'>, { repost }: PostRow, names?: Names): RepostView | undefined {
  if (repost === undefined) return undefined
  const { via, author, claimedName, alternate } = repost
  const isShown = repost.isHere && (alternate !== undefined || mayBlog(ctx.config, via.service))
  const name = author === undefined ? claimedName : (names?.say(author) ?? author.name)
  return {
    url: isShown ? postPath({ domain: ctx.siteDomain }, via) : (alternate ?? writeXmppUri(via)),
    ...(name !== undefined && { name }),
    isProved: author !== undefined,
  }
}

/** Who shared a post, where anybody did. */
export async function viewShares({ ctx }: Web, { address }: PostRow): Promise<SharesView | undefined> {
  const siteAuthors = await listSiteAuthors(ctx)
  const { count, rows } = await listReposts(ctx.index, address, { siteAuthors, limit: NAMED })
  if (count === 0) return undefined
  const names = await readPeopleNames(
    ctx.index,
    rows.map(({ author }) => author),
  )
  const people = new Map(
    rows.toReversed().map(({ address: at, author }) => {
      const url = postPath({ domain: ctx.siteDomain }, at)
      return [author.jid, { name: author.name, beside: names.beside(author), url }]
    }),
  )
  return { count, people: [...people.values()].reverse() }
}
