import type { FastifyReply } from 'fastify'
import type { Browsed, ListedNode } from '#server/feeds/browse.ts'
import type { NewCommunity } from '#server/feeds/communities.ts'
import { feedKey, listFeeds } from '#server/store/blog.ts'
import { listCommunities } from '#server/store/community.ts'
import { listFollows } from '#server/store/follow.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { type NodeAddress, writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { nodePath } from '#shared/paths.ts'
import { cleanLine } from '#shared/text.ts'
import type { ListedNodeView, Notice } from '#web/views.ts'
import { blogTitle } from '../shown.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence } from './post-view.ts'

export interface CommunitiesPage {
  /** As typed, or the one that the person's server offers. */
  readonly service: string
  readonly browsed?: Browsed
  readonly problem?: string
  readonly status?: number
}

/** The communities that were made here, and what another service has. */
export async function sendCommunitiesPage(web: Web, exchange: Exchange, page: CommunitiesPage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  const site = { domain: ctx.siteDomain }
  const addresses = (await listCommunities(ctx.state)).map(({ address }) => address)
  const feeds = await listFeeds(ctx.index, addresses)
  const own = addresses.flatMap((address) => {
    const blog = feeds.get(feedKey(address))
    if (blog === undefined || blog.status !== 'open') return []
    return [{ title: blogTitle(blog), description: blog.description, url: nodePath(site, address) }]
  })
  const followed = new Set(
    person === undefined ? [] : (await listFollows(ctx.state, person.jid)).map(({ address }) => feedKey(address)),
  )
  const { browsed, service, problem } = page
  return sendPage(web, exchange, {
    name: 'communities',
    status: page.status,
    head: { title: 'Communities', canonicalPath: '/communities', ...(browsed === undefined ? {} : { noindex: true }) },
    view: {
      own,
      ...(person === undefined ? {} : { browser: { service, problem, newUrl: '/communities/new' } }),
      ...(browsed === undefined || person === undefined
        ? {}
        : {
            browsed: {
              service,
              isCut: browsed.isCut,
              token: tokens.issue(person),
              nodes: browsed.nodes.map((node) => viewNode(site, node, followed)),
            },
          }),
    },
  })
}

function viewNode(site: { domain: BareJid }, node: ListedNode, followed: ReadonlySet<string>): ListedNodeView {
  const { address, title, description, type, count, isKnown } = node
  return {
    ...{ title: title ?? cleanLine(address.node, 300), name: cleanLine(address.node, 300), description, count },
    kind: type === NS.GALLERY ? 'gallery' : type === NS.SOCIAL_FEED || type === NS.MICROBLOG ? 'posts' : 'unknown',
    xmppUri: writeXmppUri(address),
    ...(isKnown ? { url: nodePath(site, address) } : {}),
    isFollowed: followed.has(feedKey(address)),
  }
}

export interface NewCommunityPage {
  readonly fields?: Partial<Omit<NewCommunity, 'service' | 'publishers'>> & {
    readonly service?: string
    readonly who?: string
    readonly people?: string
  }
  readonly problem?: string
  readonly row?: OutboxRow
  readonly status?: number
}

export function sendNewCommunityPage(web: Web, exchange: Exchange, page: NewCommunityPage): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A community needs a person')
  const { fields = {} } = page
  return sendPage(web, exchange, {
    name: 'community-new',
    status: page.status,
    head: { title: 'New community', noindex: true, notices: describe(page) },
    view: {
      token: web.tokens.issue(person),
      key: createFormKey(),
      ...{ service: fields.service ?? '', title: fields.title ?? '', description: fields.description ?? '' },
      ...{ kind: fields.kind ?? 'base', who: fields.who ?? 'everyone', people: fields.people ?? '' },
    },
  })
}

function describe({ problem, row }: NewCommunityPage): Notice[] {
  if (problem !== undefined) return [{ lead: 'Not made.', text: problem, kind: 'error' }]
  if (row === undefined) return []
  const text = asSentence(row.problem ?? 'The service has not answered yet')
  if (row.status === 'done') return [{ lead: 'Sent.', text, kind: 'waiting' }]
  return row.status === 'refused'
    ? [{ lead: 'Not made.', text, kind: 'error' }]
    : [{ lead: 'Waiting.', text: `${text} It will be made as soon as it can be.`, kind: 'waiting' }]
}

export interface PeoplePage {
  readonly address: NodeAddress
  readonly title: string
  /** Whether everybody may write there. */
  readonly isOpen: boolean
  readonly list: readonly { readonly jid?: BareJid; readonly affiliation: string }[]
  /** Whether the site sees that the person owns the community. */
  readonly isSeen: boolean
}

/** Who may write in a community, and who is shut out. */
export function sendPeoplePage(web: Web, exchange: Exchange, page: PeoplePage): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A community needs a person')
  const { address, title, isOpen, list, isSeen } = page
  const of = (...kinds: string[]) =>
    list.flatMap(({ jid, affiliation }) => (jid !== undefined && kinds.includes(affiliation) ? [jid] : []))
  return sendPage(web, exchange, {
    name: 'community-people',
    head: { title: 'People', noindex: true, notices: isSeen ? [] : [describeUnseen(address)] },
    view: {
      token: web.tokens.issue(person),
      of: writeXmppUri(address),
      community: { title, url: nodePath({ domain: web.ctx.siteDomain }, address) },
      ...{ isOpen, owners: of('owner'), publishers: of('publisher', 'publish-only'), blocked: of('outcast') },
    },
  })
}

function describeUnseen({ service }: NodeAddress): Notice {
  const text = `${service} does not show this site who owns this community: what you change here is sent there, and changes nothing on this site.`
  return { lead: 'Not seen here.', text, kind: 'waiting' }
}

/** Whether somebody shall be shut out: asked before it is done. */
export function sendBlockPage(
  web: Web,
  exchange: Exchange,
  { address, jid, title, cancelUrl }: { address: NodeAddress; jid: BareJid; title: string; cancelUrl: string },
): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A question needs a person')
  return sendPage(web, exchange, {
    name: 'confirm',
    head: { title: 'Block a writer', noindex: true },
    view: {
      heading: `Block ${jid}?`,
      text: `They can no longer write or comment in “${title}”. What they have written there stays until you delete it.`,
      action: '/communities/block',
      token: web.tokens.issue(person),
      button: 'Block',
      cancelUrl,
      fields: { of: writeXmppUri(address), jid, action: 'block' },
    },
  })
}
