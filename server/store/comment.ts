import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { SafeHtml } from '#shared/markup.ts'
import type { IndexDb } from './database.ts'
import { type PersonName, readAuthor, selectShown } from './post-row.ts'

export interface CommentRow {
  readonly address: ItemAddress
  readonly author?: PersonName
  readonly claimedName?: string
  readonly credit: 'credited' | 'according' | 'unverified'
  readonly html: SafeHtml
  readonly text: string
  readonly language?: string
  readonly published: Date
  readonly updated: Date
  readonly atomId?: string
  readonly inReplyTo?: ItemAddress
  /** 0 for a comment on the post itself. */
  readonly depth: number
}

/** In the order of their dates, answers after what they answer; likes are no comments. */
export async function listComments(index: IndexDb, address: NodeAddress): Promise<CommentRow[]> {
  const rows = await selectComments(index, address).orderBy('entry.publishedAt').orderBy('entry.item').execute()
  return arrangeThread(rows.map(readComment))
}

export async function findComment(index: IndexDb, address: ItemAddress): Promise<CommentRow | undefined> {
  const row = await selectComments(index, address).where('entry.item', '=', address.item).executeTakeFirst()
  return row && readComment(row)
}

function selectComments(index: IndexDb, { service, node }: NodeAddress) {
  return selectShown(index)
    .selectAll('entry')
    .select(['node.service', 'node.node', 'person.name as personName'])
    .where('entry.isPost', '=', 0)
    .where('entry.isLike', '=', 0)
    .where('node.status', '=', 'open')
    .where('node.service', '=', service)
    .where('node.node', '=', node)
}

type SelectedComment = Awaited<ReturnType<ReturnType<typeof selectComments>['executeTakeFirstOrThrow']>>

function readComment(row: SelectedComment): CommentRow {
  return {
    address: { service: row.service, node: row.node, item: row.item },
    author: readAuthor(row),
    claimedName: row.claimedName ?? undefined,
    credit: row.credit,
    html: row.html,
    text: row.excerpt,
    language: row.language ?? undefined,
    published: new Date(row.publishedAt),
    updated: new Date(row.updatedAt),
    atomId: row.atomId ?? undefined,
    inReplyTo: readReply(row),
    depth: 0,
  }
}

function readReply({ replyService, replyNode, replyItem }: SelectedComment): ItemAddress | undefined {
  if (replyService === null || replyNode === null || replyItem === null) return undefined
  return { service: replyService, node: replyNode, item: replyItem }
}

function arrangeThread(comments: readonly CommentRow[]): CommentRow[] {
  const known = new Set(comments.map(({ address }) => address.item))
  const answers = new Map<ItemId | undefined, CommentRow[]>()
  for (const comment of comments) {
    const parent = parentOf(comment, known)
    const siblings = answers.get(parent)
    if (siblings === undefined) answers.set(parent, [comment])
    else siblings.push(comment)
  }
  const arranged: CommentRow[] = []
  const open = (answers.get(undefined) ?? []).map((comment) => ({ ...comment, depth: 0 })).reverse()
  for (let comment = open.pop(); comment !== undefined; comment = open.pop()) {
    arranged.push(comment)
    const depth = comment.depth + 1
    open.push(...(answers.get(comment.address.item) ?? []).map((answer) => ({ ...answer, depth })).reverse())
  }
  // Answers in a circle hang on nothing that was arranged.
  const seen = new Set(arranged.map(({ address }) => address.item))
  return [...arranged, ...comments.filter(({ address }) => !seen.has(address.item))]
}

function parentOf({ address, inReplyTo }: CommentRow, known: ReadonlySet<ItemId>): ItemId | undefined {
  if (inReplyTo === undefined || inReplyTo.node !== address.node || inReplyTo.service !== address.service)
    return undefined
  return known.has(inReplyTo.item) && inReplyTo.item !== address.item ? inReplyTo.item : undefined
}
