import type * as view from '#web/views.ts'

type LayoutOf = (title: string, more?: Partial<view.Layout>) => view.Layout

/** Of a post's page, for who is signed in. */
export const threadWish: view.ThreadWishView = { action: '/@juliet/lark/wish', token: 't' }

const published = '2026-11-22T20:30:00Z'
const LONG = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'

function notice(kind: view.NoticeView['kind'], more: Partial<view.NoticeView> = {}): view.NoticeView {
  return {
    ...{ kind, name: 'Romeo', others: 0, url: '/@juliet/lark/comments/a', title: 'The lark', isOfRoom: false },
    ...{ text: 'It was the nightingale, and not the lark.', published, isUnread: false },
    ...more,
  }
}

/** Somebody's notifications, of every kind, and none. */
export function notificationSamples(layout: LayoutOf): [name: string, view: view.NotificationsView][] {
  const unread = { count: 3, url: '/notifications', liveUrl: '/live' }
  const person = { name: 'Juliet', session: 'S', mayWrite: true, unread }
  const page = {
    ...{ token: 't', settingsUrl: '/settings#messages', feedsAction: '/notifications/address', showsFeeds: false },
    live: { url: '/live', version: '1' },
  }
  const secret = 'https://verona.example/notifications/mJ9w7TzEo2sK5nVbQ1xYcF4hRgLd8uAiPq3ZtNvBk0W'
  const feeds = { atomUrl: `${secret}/atom.xml`, jsonUrl: `${secret}/feed.json` }
  const first = [
    notice('comment', { isUnread: true }),
    notice('reply', { isUnread: true, name: LONG, title: LONG, text: LONG }),
    notice('mention', { isOfRoom: true, title: undefined, isUnread: true }),
    notice('reaction', { others: 41, text: '♥ 😀 🎉', name: 'روميو' }),
  ]
  const second = [
    notice('repost', { text: '' }),
    notice('follower', { text: '', title: undefined, others: 1 }),
    notice('held', { url: '/moderation', title: undefined }),
    notice('report', { url: '/reports', name: '' }),
  ]
  const days = [
    { published, notices: first },
    { published: '2026-11-21T08:00:00Z', notices: second },
  ]
  const read = { action: '/notifications/read', until: '1-1' }
  const many = { ...page, days, read, olderUrl: '/notifications?before=1-1' }
  const arabic = layout('الإشعارات', { person: { ...person, unread: { ...unread, count: 100 } }, language: 'ar' })
  return [
    ['notifications', { ...many, layout: layout('Notifications', { person }) }],
    ['notifications-feeds', { ...many, layout: layout('Notifications', { person }), feeds, showsFeeds: true }],
    ['notifications-empty', { ...page, layout: layout('Notifications'), days: [] }],
    ['notifications-arabic', { ...many, layout: arabic, newestUrl: '/notifications' }],
  ]
}
