import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { Contributor } from '#shared/contributor.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import type { SafeHtml } from '#shared/markup.ts'
import type { MentionMark } from '#shared/mentions.ts'
import { parseXml } from '#shared/xml.ts'
import { arrangeThread } from './arrange-thread.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import { type PersonName, readAuthor } from './post-row.ts'
import { isShownTo } from './shown-entry.ts'
import { isOnNodeFor, listThread, type ThreadReader } from './thread.ts'

export interface CommentRow {
  readonly address: ItemAddress
  /** Of what was said in a room, by the name there: their JID is shown to nobody. */
  readonly author?: PersonName
  readonly claimedName?: string
  readonly credit: 'credited' | 'according' | 'unverified'
  /** Whose words they are, where our own site account published them. */
  readonly contributor?: Pick<Contributor, 'how'> & PersonName
  readonly isFromRoom: boolean
  /** The speaker's id in the room, for a message from one. */
  readonly participant?: string
  /** Waits for approval: only who wrote it sees it. */
  readonly isHeld: boolean
  readonly html: SafeHtml
  readonly marks: readonly MentionMark[]
  readonly text: string
  readonly language?: string
  readonly published: Date
  readonly updated: Date
  readonly isEdited: boolean
  readonly atomId?: string
  readonly inReplyTo?: ItemAddress
}

/** All of a node, in the order of their dates, answers after what they answer. */
export async function listComments(index: IndexDb, address: NodeAddress): Promise<CommentRow[]> {
  const lines = await listThread(index, { address: { ...address, item: '' as ItemId }, comments: address })
  const rows = await listCommentRows(
    index,
    lines.map(({ id }) => id),
  )
  return arrangeThread(lines).flatMap(({ line }) => rows.get(line.id) ?? [])
}

/** Those with these ids, by id, whether or not everybody is shown them. */
export async function listCommentRows(index: IndexDb, ids: readonly number[]): Promise<Map<number, CommentRow>> {
  const rows = await selectComments(index).where(isOneOf('entry.id', ids)).execute()
  return new Map(rows.map((row) => [row.id, readComment(row)]))
}

/** A comment or an answer in a room, as the reader may see it. */
export async function findComment(
  index: IndexDb,
  { service, node, item }: ItemAddress,
  reader?: ThreadReader,
): Promise<CommentRow | undefined> {
  const row = await selectComments(index)
    .where('entry.isPost', '=', 0)
    .where('entry.isLike', '=', 0)
    .where(isOnNodeFor(reader))
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where('entry.item', '=', item)
    .where(isShownTo(reader?.jid))
    .executeTakeFirst()
  return row && readComment(row)
}

/** Who wrote it, as far as that is proved; whoever published it for them. */
export function writerOf({ credit, author, contributor }: CommentRow): PersonName | undefined {
  return contributor ?? (credit === 'unverified' ? undefined : author)
}

function selectComments(index: IndexDb) {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .leftJoin('person', 'person.jid', 'entry.author')
    .selectAll('entry')
    .select(['node.service', 'node.node', 'node.kind', 'person.name as personName'])
}

type SelectedComment = Awaited<ReturnType<ReturnType<typeof selectComments>['executeTakeFirstOrThrow']>>

/** What profiles keep beside the core of a comment. */
interface More {
  readonly nick?: string
  readonly contributor?: Pick<Contributor, 'name' | 'how'>
  readonly marks?: readonly MentionMark[]
}

function readComment(row: SelectedComment): CommentRow {
  const { nick, contributor, marks = [] } = JSON.parse(row.more) as More
  const isFromRoom = row.kind === 'room'
  const author = readAuthor(row)
  return {
    address: { service: row.service, node: row.node, item: row.item },
    author: author && (isFromRoom ? { jid: author.jid, name: nick ?? '?' } : author),
    claimedName: (isFromRoom ? nick : row.claimedName) ?? undefined,
    credit: row.credit,
    contributor: row.contributor === null ? undefined : readContributor(row.contributor, contributor),
    isFromRoom,
    participant: isFromRoom ? readParticipant(row.payload) : undefined,
    isHeld: row.hold === 'held',
    html: row.html,
    marks,
    text: row.excerpt,
    language: row.language ?? undefined,
    published: new Date(row.publishedAt),
    updated: new Date(row.updatedAt),
    isEdited: row.isEdited === 1,
    atomId: row.atomId ?? undefined,
    inReplyTo: readReply(row),
  }
}

/** The channel names them by the resource of `from`. */
function readParticipant(payload: string): string | undefined {
  const from = String(parseXml(payload)?.attrs.from ?? '')
  const slash = from.indexOf('/')
  return slash < 0 ? undefined : from.slice(slash + 1)
}

function readContributor(jid: BareJid, more: More['contributor']): CommentRow['contributor'] {
  return { jid, name: more?.name || localPart(jid) || jid, how: more?.how }
}

function readReply({ replyService, replyNode, replyItem }: SelectedComment): ItemAddress | undefined {
  if (replyService === null || replyNode === null || replyItem === null) return undefined
  return { service: replyService, node: replyNode, item: replyItem }
}
