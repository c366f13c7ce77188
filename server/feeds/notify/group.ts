import type { NotificationRow } from '#server/store/notification.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { commentPath, nodePath, postPath, type Site, writeItemSegment } from '#shared/paths.ts'
import { cleanLine } from '#shared/text.ts'

/** One line of a list: what many did to one post on one day is one. */
export interface NoticeGroup {
  readonly kind: NotificationRow['kind']
  readonly about: ItemAddress
  /** With an empty item, the blog in whose room it was said. */
  readonly post: ItemAddress | undefined
  /** The first of them, by name. */
  readonly names: readonly string[]
  /** By address, where there is one of them and it is known. */
  readonly actor: BareJid | undefined
  readonly others: number
  /** What was written, or the different emoji. */
  readonly text: string
  /** Of the newest. */
  readonly at: string
  readonly isUnread: boolean
  /** The number of the oldest of them, by which a group stays the same when it grows. */
  readonly firstId: number
}

type Row = Pick<
  NotificationRow,
  | 'id'
  | 'kind'
  | 'service'
  | 'node'
  | 'item'
  | 'postService'
  | 'postNode'
  | 'postItem'
  | 'actor'
  | 'actorName'
  | 'text'
  | 'at'
  | 'readAt'
>

const GROUPED: ReadonlySet<string> = new Set(['reaction', 'follower', 'repost', 'report'])
const MOST_NAMES = 2
/** Characters, with an address behind it. */
const LONGEST_NAME = 3_500
const MOST_EMOJI = 5

/** In the order of the first row of each. */
export function groupNotices(rows: readonly Row[]): NoticeGroup[] {
  const groups = new Map<string, [Row, ...Row[]]>()
  for (const row of rows) {
    const key = GROUPED.has(row.kind)
      ? JSON.stringify([row.kind, addressKey(postOfNotice(readRow(row)) ?? aboutOf(row)), row.at.slice(0, 10)])
      : String(row.id)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return [...groups.values()].map(describe)
}

function describe(rows: [Row, ...Row[]]): NoticeGroup {
  const [first] = rows
  const hasOnlyName = isOfRoom(first)
  const byActor = new Map(
    rows.map((row) => [row.actor || `?${row.id}`, nameOf(hasOnlyName ? '' : row.actor, row.actorName)]),
  )
  const names = [...byActor.values()].flatMap((name) => name ?? []).slice(0, MOST_NAMES)
  const texts = first.kind === 'reaction' ? [...new Set(rows.map(({ text }) => text))] : [first.text]
  return {
    ...readRow(first),
    names,
    actor: byActor.size === 1 && first.actor !== '' && !hasOnlyName ? first.actor : undefined,
    others: byActor.size === 1 ? 0 : byActor.size - names.length,
    text: texts.slice(0, MOST_EMOJI).join(' '),
    at: rows.reduce((newest, { at }) => (at > newest ? at : newest), first.at),
    isUnread: rows.some(({ readAt }) => readAt === null),
    firstId: Math.min(...rows.map(({ id }) => id)),
  }
}

function readRow(row: Row): Pick<NoticeGroup, 'kind' | 'about' | 'post'> {
  const { postService: service, postNode: node, postItem: item } = row
  const post = service === null || node === null || item === null ? undefined : { service, node, item }
  return { kind: row.kind, about: aboutOf(row), post }
}

function aboutOf({ service, node, item }: Row): ItemAddress {
  return { service, node, item: item as ItemAddress['item'] }
}

/** The post whose title says what it is about. */
export function postOfNotice({ kind, about, post }: Pick<NoticeGroup, 'kind' | 'about' | 'post'>) {
  return post ?? (kind === 'mention' || kind === 'repost' ? about : undefined)
}

/** Where one can see it: the comment, the post, the page where something is to be decided. */
export function noticePath(site: Site, { kind, about, post, actor }: NoticeGroup): string {
  if (kind === 'held') return '/moderation'
  if (kind === 'report') return '/reports'
  if (kind === 'follower') return actor === undefined ? nodePath(site, about) : '/notifications'
  if (kind === 'reaction') return `${postPath(site, post ?? about)}/reactions`
  if (kind === 'repost') return postPath(site, about)
  if (post === undefined) return '/notifications'
  if (post.item === '') return `${nodePath(site, post)}/room/messages/${writeItemSegment(about.item)}`
  if (post.item === about.item && post.node === about.node && post.service === about.service) {
    return postPath(site, post)
  }
  return commentPath(site, post, about)
}

/** Whether it comes from a room, where everybody has a name only. */
export function isOfRoom({ node, kind }: Pick<Row, 'node' | 'kind'>): boolean {
  return node === NS.MIX_MESSAGES && kind !== 'held' && kind !== 'report'
}

/** What somebody is called, where nothing else is known. */
export function nameOf(actor: BareJid | '', name: string | null): string | undefined {
  const clean = cleanLine(name ?? '', LONGEST_NAME)
  if (clean !== '') return clean
  return actor === '' ? undefined : (localPart(actor) ?? actor)
}
