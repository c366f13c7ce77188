import type { IndexDb } from '#server/store/database.ts'
import { listNewsTitles } from '#server/store/news.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { nameActors } from './actors.ts'
import { groupNotices, type NoticeGroup, noticePath, postOfNotice } from './group.ts'

interface Deps {
  readonly index: IndexDb
  readonly siteDomain: BareJid
  readonly config: { readonly url: URL }
}

/** Lines in one message. */
const MOST_LINES = 8
const LONGEST_TEXT = 160

type Rows = Parameters<typeof groupNotices>[0]

/** The body of one message about all of these, with an address for each. */
export async function writeNotice(deps: Deps, rows: Rows, reader: BareJid): Promise<string> {
  const groups = groupNotices(await nameActors(deps.index, rows, reader))
  const titles = await listNewsTitles(
    deps.index,
    groups.flatMap((group) => postOfNotice(group) ?? []),
  )
  const lines = groups.slice(0, MOST_LINES).map((group) => {
    const names = group.names.map(unlinkable)
    const text = sayNotice({ ...group, names }, titleOf(titles, postOfNotice(group)))
    return `${text}\n${new URL(noticePath({ domain: deps.siteDomain }, group), deps.config.url).href}`
  })
  const rest = groups.length - MOST_LINES
  if (rest > 0) lines.push(`And ${rest} more:\n${new URL('/notifications', deps.config.url).href}`)
  return lines.join('\n\n')
}

/** A name in which a chat client finds no address to make a link of: a word joiner (U+2060) follows each mark of one. */
function unlinkable(name: string): string {
  return name.replace(/[.:/@](?=\S)/gu, '$&\u2060')
}

/** What happened, in one English sentence: for messages and feeds. */
export function sayNotice(group: NoticeGroup, title: string | undefined): string {
  const { kind, names, others, text } = group
  const who = sayWho(names, others)
  const isOfRoom = group.post?.item === ''
  const on = isOfRoom ? 'the room' : title === undefined ? 'a post' : `“${title}”`
  switch (kind) {
    case 'comment':
      return `${who} commented on ${on}: ${cut(text)}`
    case 'reply':
      return `${who} answered you on ${on}: ${cut(text)}`
    case 'mention':
      return `${who} mentioned you ${isOfRoom ? 'in' : 'on'} ${on}: ${cut(text)}`
    case 'reaction':
      return `${who} reacted ${text} to ${on}`
    case 'repost':
      return `${who} shared ${on}`
    case 'follower':
      return `${who} ${others > 0 || names.length > 1 ? 'follow' : 'follows'} your blog`
    case 'held':
      return `A comment by ${who} on ${on} waits for your approval: ${cut(text)}`
    case 'report':
      return `${who} reported something on ${on}: ${cut(text)}`
  }
}

function sayWho(names: readonly string[], others: number): string {
  const all = others > 0 ? [...names, `${others} ${others === 1 ? 'other' : 'others'}`] : names
  return all.length === 0 ? 'Somebody' : new Intl.ListFormat('en', { type: 'conjunction' }).format(all)
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT).toWellFormed()}…`
}

export function titleOf(titles: ReadonlyMap<string, string>, post: ItemAddress | undefined): string | undefined {
  return post && titles.get(addressKey(post))
}
