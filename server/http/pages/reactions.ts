import type { FastifyReply } from 'fastify'
import { readPeopleNames } from '#server/feeds/names.ts'
import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import { findNode, isRead } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { countReactions, listReactors, type ReactionCount } from '#server/store/reaction.ts'
import { sameAddress } from '#shared/address.ts'
import { blogPath, postPath } from '#shared/paths.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { HEART, writeEmoji } from '#shared/reactions.ts'
import type { ReactionsView } from '#web/views.ts'
import { readerOf } from '../readable.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence } from './post-view.ts'

const OFFERED = ['👍', '👏', '😂', '😮', '😢', '🎉', '🤔', '🙏', '🔥', '👀', '💯', '🌹']
const PAGE_PEOPLE = 100

export interface ReactionsPlace {
  readonly post: PostRow
  /** What the person who looks has waiting. */
  readonly rows: readonly OutboxRow[]
  readonly person: Person | undefined
  /** Why the one that was just sent is not taken. */
  readonly problem?: string | undefined
}

/** What people reacted with, and the ways to do so; nothing where nobody can and nobody did. */
export async function viewReactions(
  { ctx, tokens }: Web,
  { post, rows, person, ...place }: ReactionsPlace,
): Promise<ReactionsView | undefined> {
  const node = await findNode(ctx.index, attachmentsOf(post.address))
  const hasNode = node !== undefined && isRead(node) && !node.isWaiting
  const isPossible = hasNode || post.comments !== undefined
  const stored = await countReactions(ctx.index, post.address, readerOf(ctx, person, post))
  const own = rows.filter(({ kind }) => kind === 'react')
  const counts = withWaiting(stored, { post, rows: own })
  if (!isPossible && counts.length === 0) return undefined
  const path = postPath({ domain: ctx.siteDomain }, post.address)
  const mayReact = isPossible && person !== undefined
  const chips = mayReact && !counts.some(({ emoji }) => emoji === HEART) ? [NO_HEART, ...counts] : counts
  const problem = place.problem ?? findProblem({ post, rows: own })
  return {
    chips: chips.map(({ emoji, count, isOwn }) => ({ emoji, shown: showEmoji(emoji), count, isOwn })),
    ...(counts.length === 0 ? {} : { whoUrl: `${path}/reactions` }),
    ...(mayReact ? { form: { action: `${path}/reactions`, token: tokens.issue(person) } } : {}),
    ...(mayReact && hasNode ? { offered: OFFERED } : {}),
    ...(person === undefined && isPossible
      ? { signinUrl: `/signin?${new URLSearchParams({ next: `${path}#reactions` })}` }
      : {}),
    ...(problem === undefined ? {} : { problem }),
  }
}

const NO_HEART: ReactionCount = { emoji: HEART, count: 0, isOwn: false }

// In the text face: as a picture it would be the one that shouts.
function showEmoji(emoji: string): string {
  return emoji === HEART ? `${HEART}\ufe0e` : writeEmoji(emoji)
}

type Waiting = Pick<ReactionsPlace, 'post' | 'rows'>

/** As it will be once everything is out that waits; the newest wish about an emoji counts. */
function withWaiting(stored: readonly ReactionCount[], { post, rows }: Waiting): readonly ReactionCount[] {
  const counts = new Map(stored.map((each) => [each.emoji, each]))
  for (const row of rows.toReversed()) {
    const task = readTask(row)
    if (row.status !== 'waiting' || task.kind !== 'react' || !sameAddress(task.post, post.address)) continue
    const { emoji, isOn } = task
    const { count, isOwn } = counts.get(emoji) ?? { count: 0, isOwn: false }
    counts.set(emoji, { emoji, isOwn: isOn, count: count + Number(isOn) - Number(isOwn) })
  }
  return [...counts.values()].filter(({ count }) => count > 0)
}

function findProblem({ post, rows }: Waiting): string | undefined {
  const newest = rows.find((row) => {
    const task = readTask(row)
    return task.kind === 'react' && sameAddress(task.post, post.address)
  })
  return newest?.status === 'refused' ? asSentence(newest.problem ?? 'It was refused') : undefined
}

/** Who reacted to a post, and with what. */
export async function sendReactorsPage(
  web: Web,
  exchange: Exchange,
  { post, page }: { readonly post: PostRow /** From 1. */; readonly page: number },
): Promise<FastifyReply> {
  const { ctx } = web
  const site = { domain: ctx.siteDomain }
  const path = postPath(site, post.address)
  const reader = readerOf(ctx, exchange.visit.person, post)
  const found = await listReactors(ctx.index, post.address, {
    reader,
    limit: PAGE_PEOPLE + 1,
    offset: (page - 1) * PAGE_PEOPLE,
  })
  const urlOf = (number: number) => `${path}/reactions${number === 1 ? '' : `?page=${number}`}`
  const counts = await countReactions(ctx.index, post.address, reader)
  const names = await readPeopleNames(ctx.index, [post.author, ...found], { owner: post.author?.jid })
  return sendPage(web, exchange, {
    name: 'reactions',
    head: { title: post.title, noindex: true },
    view: {
      post: { title: post.title, url: path },
      counts: counts.map(({ emoji, count }) => ({ shown: showEmoji(emoji), count })),
      people: found.slice(0, PAGE_PEOPLE).map(({ jid, name, emoji, hasBlog }) => ({
        name,
        beside: names.beside({ jid, name }),
        emoji: emoji.map(showEmoji).join(' '),
        ...(hasBlog ? { url: blogPath(site, jid) } : {}),
      })),
      ...(page > 1 ? { earlierUrl: urlOf(page - 1) } : {}),
      ...(found.length > PAGE_PEOPLE ? { laterUrl: urlOf(page + 1) } : {}),
    },
  })
}
