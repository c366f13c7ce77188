import { type SelectQueryBuilder, sql } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { Picture } from '#shared/entry.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import type { SafeHtml } from '#shared/markup.ts'
import type { MentionMark } from '#shared/mentions.ts'
import { findProfile } from '#shared/profiles/index.ts'
import { HEART } from '#shared/reactions.ts'
import type { IndexDb } from './database.ts'
import type { IndexSchema } from './index-schema.ts'
import { IS_SHOWN } from './reaction-hold.ts'
import { type Repost, readRepost, selectOriginal, selectShownOriginal } from './repost-row.ts'

export interface PersonName {
  readonly jid: BareJid
  readonly name: string
}

export interface PostRow {
  readonly address: ItemAddress
  readonly author?: PersonName
  /** Whom the service names, whatever the post says. */
  readonly publisher?: BareJid
  readonly credit: 'credited' | 'according' | 'unverified'
  /** Of an unverified author, as claimed. */
  readonly claimedName?: string
  readonly title: string
  readonly isUntitled: boolean
  readonly excerpt: string
  readonly summary?: string
  readonly html: SafeHtml
  readonly marks: readonly MentionMark[]
  readonly tags: readonly string[]
  readonly language?: string
  readonly direction?: string
  /** Never in the future. */
  readonly published: Date
  readonly updated: Date
  readonly isEdited: boolean
  /** When it became news. */
  readonly arrivedAt: Date
  readonly atomId?: string
  readonly comments?: NodeAddress
  /** Of those that everybody may read. */
  readonly commentCount: number
  /** There may be comments that only some may read. */
  readonly hasClosedThread: boolean
  /** People, not items. */
  readonly heartCount: number
  readonly alternate?: string
  /** The name of the profile that shows it. */
  readonly profile: string
  readonly pictures: readonly Picture[]
  /** Of a repost: what is known of its original. */
  readonly repost?: Repost
  /** The item as it came. */
  readonly payload: string
}

/** A query over shown entries, before its columns are chosen. */
export type Shown<Row> = SelectQueryBuilder<
  IndexSchema & { person: { jid: BareJid | null; name: string | null; namedAt: number | null } },
  'entry' | 'node' | 'person',
  Row
>

export function selectShown(index: IndexDb): Shown<object> {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .leftJoin('person', 'person.jid', 'entry.author')
    .where('entry.hold', 'is', null)
}

/** The columns that `readPost` reads. */
export function withPostColumns(query: Shown<object>) {
  return query
    .selectAll('entry')
    .select(['node.service', 'node.node', 'node.type', 'person.name as personName'])
    .select(({ selectFrom }) =>
      selectFrom('entry as comment')
        .innerJoin('node as thread', 'thread.id', 'comment.nodeId')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('thread.service', '=', 'entry.commentsService')
        .whereRef('thread.node', '=', 'entry.commentsNode')
        .where('thread.status', '=', 'open')
        .where('comment.isLike', '=', 0)
        .where('comment.hold', 'is', null)
        .as('commentCount'),
    )
    .select(({ selectFrom }) =>
      selectFrom('node as thread')
        .select('thread.status')
        .whereRef('thread.service', '=', 'entry.commentsService')
        .whereRef('thread.node', '=', 'entry.commentsNode')
        .as('threadStatus'),
    )
    .select(({ selectFrom }) =>
      selectFrom('reaction')
        .select(({ fn }) => fn.count<number>('reaction.reactor').distinct().as('count'))
        .whereRef('reaction.service', '=', 'node.service')
        .whereRef('reaction.node', '=', 'node.node')
        .whereRef('reaction.item', '=', 'entry.item')
        .where('reaction.emoji', '=', HEART)
        .where(IS_SHOWN)
        .as('heartCount'),
    )
    .select(({ selectFrom }) =>
      selectFrom('entry as answer')
        .innerJoin('node as room', 'room.id', 'answer.nodeId')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('answer.rootService', '=', 'node.service')
        .whereRef('answer.rootNode', '=', 'node.node')
        .whereRef('answer.rootItem', '=', 'entry.item')
        .where('room.kind', '=', 'room')
        .where('room.status', '=', 'open')
        .where('answer.hold', 'is', null)
        .where(sql<boolean>`answer.more ->> 'kind' IS NOT 'announcement'`)
        .as('answerCount'),
    )
    .select(selectOriginal)
    .select(selectShownOriginal)
}

type SelectedPost = Awaited<ReturnType<ReturnType<typeof withPostColumns>['executeTakeFirstOrThrow']>>

export function readPost(row: SelectedPost): PostRow {
  const { pictures = [], marks = [] } = JSON.parse(row.more) as Partial<Pick<PostRow, 'pictures' | 'marks'>>
  return {
    address: { service: row.service, node: row.node, item: row.item },
    author: readAuthor(row),
    publisher: row.publisher ?? undefined,
    credit: row.credit,
    claimedName: row.claimedName ?? undefined,
    title: row.title,
    isUntitled: row.isUntitled === 1,
    excerpt: row.excerpt,
    summary: row.summary ?? undefined,
    html: row.html,
    marks,
    tags: JSON.parse(row.tags) as string[],
    language: row.language ?? undefined,
    direction: row.direction ?? undefined,
    published: new Date(row.publishedAt),
    updated: new Date(row.updatedAt),
    isEdited: row.isEdited === 1,
    arrivedAt: new Date(row.arrivedAt),
    atomId: row.atomId ?? undefined,
    comments: readAddress(row.commentsService, row.commentsNode),
    commentCount: (row.commentCount ?? 0) + (row.answerCount ?? 0),
    hasClosedThread: row.threadStatus === 'restricted',
    heartCount: row.heartCount ?? 0,
    alternate: row.alternate ?? undefined,
    profile: profileOf(row),
    pictures,
    repost: readRepost(row),
    payload: row.payload,
  }
}

/** Its node's, where that has a type now: all of them read an entry alike. */
function profileOf({ type, node, profile }: Pick<SelectedPost, 'type' | 'node' | 'profile'>): string {
  return (type === null ? undefined : findProfile({ type, node })?.name) ?? profile
}

/** Whom an entry is credited to, by the newest name they gave themselves. */
export function readAuthor(row: {
  author: BareJid | null
  personName: string | null
  claimedName: string | null
}): PersonName | undefined {
  if (row.author === null) return undefined
  const name = row.personName ?? row.claimedName ?? localPart(row.author) ?? row.author
  return { jid: row.author, name }
}

function readAddress(service: BareJid | null, node: string | null): NodeAddress | undefined {
  return service === null || node === null ? undefined : { service, node }
}
