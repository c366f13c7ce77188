import { AppError } from '#server/errors.ts'
import { nameActors } from '#server/feeds/notify/actors.ts'
import { groupNotices, type NoticeGroup, noticePath, postOfNotice } from '#server/feeds/notify/group.ts'
import { sayNotice, titleOf } from '#server/feeds/notify/notice.ts'
import { chooseReadable } from '#server/feeds/notify/readable.ts'
import { findReaderBySecret } from '#server/people/feed-secret.ts'
import { findSince } from '#server/store/account.ts'
import { listNewsTitles } from '#server/store/news.ts'
import { listNotifications } from '#server/store/notification.ts'
import type { Feed, FeedEntry } from '#shared/atom.ts'
import { escapeText, sanitizeHtml } from '#shared/markup.ts'
import type { AppContext } from './context.ts'

type Deps = Pick<AppContext, 'config' | 'siteDomain' | 'state' | 'index' | 'secret' | 'permits'>

/** Rows, of which those that belong together are one entry. */
const ROWS = 200

/** Where the feed of somebody's notifications is: whoever knows the address can read it. */
export function notificationsFeedPath(secret: string, file: string): string {
  return `/notifications/${secret}/${file}`
}

/** The newest of them; 404 for a secret that is nobody's. */
export async function createNotificationsFeed(deps: Deps, secret: string, file: string): Promise<Feed> {
  const { config } = deps
  const jid = await findReaderBySecret(deps, secret)
  if (jid === undefined) throw new AppError('not-found', 'There is no such feed.')
  const rows = await chooseReadable(deps, await listNotifications(deps.state, jid, { limit: ROWS }))
  const groups = groupNotices(await nameActors(deps.index, rows, jid))
  const titles = await listNewsTitles(
    deps.index,
    groups.flatMap((group) => postOfNotice(group) ?? []),
  )
  const entries = groups.map((group) => writeEntry(deps, group, titleOf(titles, postOfNotice(group))))
  const page = new URL('/notifications', config.url)
  const id = new URL(page)
  // Of one person, whatever the secret: a new address is no new feed.
  id.hash = jid
  return {
    ...{ id: id.href, title: `${config.title}: notifications of ${jid}`, alternate: page.href, entries },
    self: new URL(notificationsFeedPath(secret, file), config.url).href,
    updated: entries[0]?.updated ?? (await findSince(deps.state, jid)),
  }
}

function writeEntry({ config, siteDomain }: Deps, group: NoticeGroup, title: string | undefined): FeedEntry {
  const said = sayNotice(group, title)
  const id = new URL('/notifications', config.url)
  id.hash = `${group.kind}-${group.firstId}`
  const at = new Date(group.at)
  return {
    ...{ id: id.href, title: said, html: sanitizeHtml(`<p>${escapeText(said)}</p>`), published: at, updated: at },
    author: { name: group.names[0] ?? '?', ...(group.actor && { jid: group.actor }) },
    tags: [],
    alternate: new URL(noticePath({ domain: siteDomain }, group), config.url).href,
  }
}
