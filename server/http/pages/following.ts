import type { FastifyReply } from 'fastify'
import type { ShownFollows } from '#server/feeds/shown-follows.ts'
import type { Person } from '#server/people/people.ts'
import { type FeedHealth, listFeedHealth } from '#server/store/feed-health.ts'
import { type Follow, listFollows } from '#server/store/follow.ts'
import { publishesFollows } from '#server/store/reader.ts'
import { addressKey, writeXmppUri } from '#shared/address.ts'
import { localPart } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import type { ListedSubscription } from '#shared/subscription-list.ts'
import type { FollowedView, FollowingView, FollowState, Notice } from '#web/views.ts'
import type { Imported } from '../import-opml.ts'
import { mayReadRestricted } from '../readable.ts'
import type { Web } from '../web.ts'
import { shortAddress } from './follow-view.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence } from './post-view.ts'

export interface FollowingPage {
  /** What was typed, to be mended. */
  readonly typed?: string
  readonly problem?: string
  readonly status?: number
  /** Whether who may know was chosen just now. */
  readonly isSaved?: boolean
  readonly notices?: readonly Notice[]
  readonly imported?: readonly Imported[]
  /** What somebody else shows their contacts. */
  readonly theirs?: ShownFollows & { readonly jid: string }
}

export async function sendFollowingPage(web: Web, exchange: Exchange, page: FollowingPage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const person = requirePerson(exchange)
  const follows = await listFollows(ctx.state, person.jid)
  const isPublic = await publishesFollows(ctx.state, person.jid)
  const saved: Notice = {
    lead: 'Saved.',
    text: isPublic ? 'Everybody may know what you follow.' : 'Only you see what you follow.',
  }
  const notices = [...(page.isSaved ? [saved] : []), ...(page.notices ?? []), ...describeImport(page.imported)]
  const health = await listFeedHealth(
    ctx.index,
    follows.map(({ address }) => address),
  )
  return sendPage(web, exchange, {
    name: 'following',
    status: page.status,
    head: { title: 'Following', noindex: true, notices },
    view: {
      token: tokens.issue(person),
      ...{ typed: page.typed ?? '', problem: page.problem, communitiesUrl: '/communities' },
      follows: follows.map((follow) => {
        const known = health.get(addressKey(follow.address))
        const isUnproved = known?.status === 'restricted' && !mayReadRestricted(ctx, person.jid, follow.address)
        return viewFollowed(web, follow, isUnproved ? withoutContent(known) : known)
      }),
      isPublic,
      ...viewImport(page.imported),
      ...viewTheirs(page),
    },
  })
}

/** A feed that they may not read now shows neither its title nor when anything came. */
function withoutContent({ address, status, backfill, problem, isWaiting }: FeedHealth): FeedHealth {
  return { address, status, backfill, problem, isWaiting, isUnheard: false, isUnproved: true }
}

function viewFollowed({ ctx }: Web, follow: Follow, health: FeedHealth | undefined): FollowedView {
  const { address } = follow
  // Of a blog the account is address enough.
  const isBlog = localPart(address.service) !== undefined && addressKey(address).endsWith('microblog%3A0')
  // That only some people may read it says why its server refuses.
  const isRefusalKnown = follow.subscription === 'refused' && health?.isUnproved === true
  const problem = isRefusalKnown ? undefined : (follow.problem ?? health?.problem)
  return {
    title: health?.title ?? follow.title ?? health?.name ?? (isBlog ? address.service : address.node),
    url: nodePath({ domain: ctx.siteDomain }, address),
    address: isBlog ? address.service : `${address.service} ${address.node}`,
    uri: writeXmppUri(address),
    newest: health?.newestAt?.toISOString(),
    read: health?.readAt?.toISOString(),
    states: describeHealth(follow, health),
    problem: problem === undefined ? undefined : asSentence(problem),
  }
}

/** The status that follows if the service says the same once more. */
const HIDDEN_AS = {
  closed: 'closed',
  refused: 'closed',
  missing: 'deleted',
  emptied: 'purged',
  thinned: 'purged',
} as const

function describeHealth({ subscription, isListed }: Follow, health: FeedHealth | undefined): FollowState[] {
  const states: FollowState[] = []
  if (subscription === 'none' || !isListed) states.push('waiting')
  if (subscription === 'pending') states.push('pending')
  if (health?.isUnproved === true) states.push('unproved')
  else if (subscription === 'refused') states.push('refused')
  const lost = health?.status === 'hidden' ? HIDDEN_AS[health.hiddenFor ?? 'refused'] : health?.status
  if (lost === 'closed' || lost === 'deleted' || lost === 'purged') states.push(lost)
  else if (health === undefined || health.isWaiting) states.push('unread')
  else if (health.purgedAt !== undefined && health.newestAt === undefined) states.push('purged')
  else if (health.backfill === 'partial' || health.backfill === 'cut') states.push(health.backfill)
  else if (health.backfill === 'underway') states.push('underway')
  if (health?.status === 'open' && health.isUnheard) states.push('unheard')
  return states
}

function describeImport(imported: readonly Imported[] | undefined): Notice[] {
  if (imported === undefined) return []
  const count = imported.filter(({ problem }) => problem === undefined).length
  if (imported.length === 0) {
    return [{ lead: 'Nothing imported.', text: 'That file names no feeds. Choose an OPML file.', kind: 'error' }]
  }
  return [{ lead: 'Imported.', text: `You follow ${count} of the ${imported.length} feeds in the file.` }]
}

function viewImport(imported: readonly Imported[] | undefined): Pick<FollowingView, 'notImported'> {
  const failed = imported?.flatMap(({ title, problem }) => (problem === undefined ? [] : { title, problem }))
  return failed === undefined || failed.length === 0 ? {} : { notImported: failed }
}

function viewTheirs({ theirs }: FollowingPage): Pick<FollowingView, 'theirs'> {
  if (theirs === undefined) return {}
  const { jid, problem, list } = theirs
  return { theirs: { jid, problem, list: list.map((each) => viewListed(each)) } }
}

/** A node that somebody else follows, with the way to follow it too. */
function viewListed({ address, title }: ListedSubscription) {
  return {
    title: title ?? shortAddress(address),
    followUrl: `/following?${new URLSearchParams({ address: writeXmppUri(address) })}`,
  }
}

/** Whose page it is. */
export function requirePerson({ visit }: Exchange): Person {
  if (visit.person === undefined) throw new TypeError('What is followed needs a person')
  return visit.person
}
