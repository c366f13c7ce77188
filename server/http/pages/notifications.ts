import type { FastifyReply } from 'fastify'
import { nameActors } from '#server/feeds/notify/actors.ts'
import { groupNotices, type NoticeGroup, noticePath, postOfNotice } from '#server/feeds/notify/group.ts'
import { titleOf } from '#server/feeds/notify/notice.ts'
import { chooseReadable } from '#server/feeds/notify/readable.ts'
import { findFeedSecret } from '#server/people/feed-secret.ts'
import type { Person } from '#server/people/people.ts'
import { listNewsTitles } from '#server/store/news.ts'
import { listNotifications, type NotificationPlace } from '#server/store/notification.ts'
import { findThreadWish } from '#server/store/thread-wish.ts'
import type { ItemAddress } from '#shared/address.ts'
import { postPath } from '#shared/paths.ts'
import type { NoticeView, NotificationsView, ThreadWishView } from '#web/views.ts'
import { notificationsFeedPath } from '../notifications-feed.ts'
import { LIVE } from '../routes/live.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

/** Rows, of which those that belong together are one line. */
const PAGE_ROWS = 100

export interface NotificationsQuery {
  readonly before?: string | undefined
  /** Whether the addresses of the feeds are asked for. */
  readonly feeds?: string | undefined
}

/** What there is to know for somebody, the newest day first. */
export async function sendNotificationsPage(
  web: Web,
  exchange: Exchange,
  query: NotificationsQuery,
): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Notifications need a person')
  const before = readPlace(query.before)
  const rows = await listNotifications(ctx.state, person.jid, { before, limit: PAGE_ROWS + 1 })
  const shown = rows.slice(0, PAGE_ROWS)
  const readable = await chooseReadable(ctx, shown)
  const groups = groupNotices(await nameActors(ctx.index, readable, person.jid))
  const titles = await listNewsTitles(ctx.index, listTitled(groups))
  const newest = shown[0]
  const last = shown.at(-1)
  return sendPage(web, exchange, {
    name: 'notifications',
    head: { title: 'Notifications', noindex: true },
    view: {
      token: tokens.issue(person),
      days: groupDays(groups.map((group) => viewNotice(web, group, titles))),
      ...(newest !== undefined && groups.some(({ isUnread }) => isUnread)
        ? { read: { action: '/notifications/read', until: writePlace(newest) } }
        : {}),
      ...(rows.length > PAGE_ROWS && last ? { olderUrl: `/notifications?before=${writePlace(last)}` } : {}),
      ...(before === undefined ? {} : { newestUrl: '/notifications' }),
      ...{ settingsUrl: '/settings#messages', feedsAction: '/notifications/address' },
      ...(await viewFeeds(web, person)),
      showsFeeds: query.feeds !== undefined,
      ...(before === undefined
        ? { live: { url: `/notifications/${LIVE}`, version: writeNotificationsVersion(newest) } }
        : {}),
    },
  })
}

/** What changes when something is new. */
export function writeNotificationsVersion(newest: NotificationPlace | undefined): string {
  return newest === undefined ? '' : writePlace(newest)
}

/** In an address: opaque to everybody else. */
function writePlace({ at, id }: NotificationPlace): string {
  return `${Date.parse(at)}-${id}`
}

export function readPlace(text: string | undefined): NotificationPlace | undefined {
  const found = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '')
  return found === null ? undefined : { at: new Date(Number(found[1])).toISOString(), id: Number(found[2]) }
}

function listTitled(groups: readonly NoticeGroup[]): ItemAddress[] {
  return groups.flatMap((group) => postOfNotice(group) ?? [])
}

function viewNotice({ ctx }: Web, group: NoticeGroup, titles: ReadonlyMap<string, string>): NoticeView {
  const { kind, names, others, text, at, isUnread } = group
  const [name = '', second] = names
  return {
    ...{ kind, name, text, published: at, isUnread },
    others: others + (second === undefined ? 0 : 1),
    url: noticePath({ domain: ctx.siteDomain }, group),
    title: titleOf(titles, postOfNotice(group)),
    isOfRoom: group.post?.item === '',
  }
}

function groupDays(notices: readonly NoticeView[]): NotificationsView['days'] {
  const days = new Map<string, { published: string; notices: NoticeView[] }>()
  for (const notice of notices) {
    const day = notice.published.slice(0, 10)
    const known = days.get(day) ?? { published: notice.published, notices: [] }
    known.notices.push(notice)
    days.set(day, known)
  }
  return [...days.values()]
}

async function viewFeeds({ ctx }: Web, { jid }: Person): Promise<Pick<NotificationsView, 'feeds'>> {
  const secret = await findFeedSecret(ctx, jid)
  if (secret === undefined) return {}
  const absolute = (file: string) => new URL(notificationsFeedPath(secret, file), ctx.config.url).href
  return { feeds: { atomUrl: absolute('atom.xml'), jsonUrl: absolute('feed.json') } }
}

/** What somebody wants to hear of the thread of a post, and the form that changes it. */
export async function viewThreadWish({ ctx, tokens }: Web, person: Person, post: ItemAddress): Promise<ThreadWishView> {
  const wish = await findThreadWish(ctx.state, person.jid, post)
  return {
    action: `${postPath({ domain: ctx.siteDomain }, post)}/wish`,
    token: tokens.issue(person),
    ...(wish && { wish }),
  }
}
