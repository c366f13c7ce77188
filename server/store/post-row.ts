import type { SelectQueryBuilder } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { Picture } from '#shared/entry.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import type { SafeHtml } from '#shared/markup.ts'
import type { MentionMark } from '#shared/mentions.ts'
import { findProfile } from '#shared/profiles/index.ts'
import { HEART } from '#shared/reactions.ts'
import type { IndexDb } from './database.ts'
import type { IndexSchema } from './index-schema.ts'
import {
  ANSWER_COUNT,
  type Counting,
  countAnswers,
  countComments,
  createCounting,
  selectCommentCount,
} from './post-counts.ts'
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

/** The columns that `readPosts` reads. */
export function withPostColumns(query: Shown<object>) {
  return query
    .selectAll('entry')
    .select(['node.service', 'node.node', 'node.type', 'person.name as personName'])
    .select([selectCommentCount('entry').as('commentCount'), ANSWER_COUNT.as('answerCount')])
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
    .select(selectOriginal)
    .select(selectShownOriginal)
}

type SelectedPost = Awaited<ReturnType<ReturnType<typeof withPostColumns>['executeTakeFirstOrThrow']>>

/** In slices, where there is much to count. */
export async function readPosts(index: IndexDb, rows: readonly SelectedPost[]): Promise<PostRow[]> {
  const counting = createCounting(index)
  const posts: PostRow[] = []
  for (const row of rows) posts.push(await readPost(counting, row))
  return posts
}

async function readPost(counting: Counting, row: SelectedPost): Promise<PostRow> {
  const address = { service: row.service, node: row.node, item: row.item }
  const comments = readAddress(row.commentsService, row.commentsNode)
  const count = (thread: NodeAddress) => countComments(counting, thread)
  const onNode = row.commentCount ?? (comments === undefined ? 0 : await count(comments))
  const { pictures = [], marks = [] } = JSON.parse(row.more) as Partial<Pick<PostRow, 'pictures' | 'marks'>>
  return {
    address,
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
    comments,
    commentCount: onNode + (row.answerCount ?? (await countAnswers(counting, address))),
    hasClosedThread: row.threadStatus === 'restricted',
    heartCount: row.heartCount ?? 0,
    alternate: row.alternate ?? undefined,
    profile: profileOf(row),
    pictures,
    repost: await readRepost(row, count),
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
