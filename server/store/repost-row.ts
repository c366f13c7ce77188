import { type ExpressionBuilder, sql } from 'kysely'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { FEED_KINDS, type IndexSchema } from './index-schema.ts'
import { selectCommentCount } from './post-counts.ts'

/** What is known of the original of a repost. */
export interface Repost {
  readonly via: ItemAddress
  /** Only where the original's own node says so. */
  readonly author?: { readonly jid: BareJid; readonly name: string }
  /** What its author is called by the word of others. */
  readonly claimedName?: string
  readonly title?: string
  /** Its page on the web, as it says itself. */
  readonly alternate?: string
  /** As its author may say. */
  readonly comments?: NodeAddress
  readonly commentCount: number
  /** Whether the index has it as a post. */
  readonly isHere: boolean
}

type Builder = ExpressionBuilder<IndexSchema & { person: { jid: BareJid | null; name: string | null } }, 'entry'>

/** What its own node said of the original, as JSON. */
export function selectOriginal({ selectFrom }: Builder) {
  return selectFrom('original')
    .leftJoin('person as originalPerson', 'originalPerson.jid', 'original.author')
    .select(
      sql<string>`json_object('author', original.author, 'name', coalesce(original_person.name, original.name),
        'title', original.title, 'alternate', original.alternate,
        'service', original.comments_service, 'node', original.comments_node, 'count', 0)`.as('json'),
    )
    .whereRef('original.service', '=', 'entry.viaService')
    .whereRef('original.node', '=', 'entry.viaNode')
    .whereRef('original.item', '=', 'entry.viaItem')
    .as('originalJson')
}

/** The same of an original that the index has as a post, with the number of its comments. */
export function selectShownOriginal({ selectFrom }: Builder) {
  return selectFrom('entry as shown')
    .innerJoin('node as shownNode', 'shownNode.id', 'shown.nodeId')
    .leftJoin('person as shownPerson', 'shownPerson.jid', 'shown.author')
    .select(
      sql<string>`json_object('author', CASE shown.credit WHEN 'credited' THEN shown.author END,
        'name', coalesce(shown_person.name, shown.claimed_name),
        'title', shown.title, 'alternate', shown.alternate,
        'service', shown.comments_service, 'node', shown.comments_node, 'count', ${selectCommentCount('shown')})`.as(
        'json',
      ),
    )
    .whereRef('shownNode.service', '=', 'entry.viaService')
    .whereRef('shownNode.node', '=', 'entry.viaNode')
    .whereRef('shown.item', '=', 'entry.viaItem')
    .where('shownNode.kind', 'in', FEED_KINDS)
    .where('shownNode.status', '=', 'open')
    .where('shown.hold', 'is', null)
    .as('shownJson')
}

interface OriginalJson {
  readonly author: BareJid | null
  readonly name: string | null
  readonly title: string | null
  readonly alternate: string | null
  readonly service: BareJid | null
  readonly node: string | null
  /** Null where that are many. */
  readonly count: number | null
}

export interface RepostColumns {
  readonly viaService: BareJid | null
  readonly viaNode: string | null
  readonly viaItem: ItemId | null
  readonly more: string
  readonly originalJson: string | null
  readonly shownJson: string | null
}

/** `count` counts the comments on a node, if there are many. */
export async function readRepost(
  row: RepostColumns,
  count: (thread: NodeAddress) => Promise<number>,
): Promise<Repost | undefined> {
  const { viaService: service, viaNode: node, viaItem: item } = row
  if (service === null || node === null || item === null) return undefined
  const json = row.shownJson ?? row.originalJson
  const known = json === null ? undefined : (JSON.parse(json) as OriginalJson)
  const claimed = (JSON.parse(row.more) as { via?: { name?: string } }).via?.name ?? known?.name
  const comments = known?.service && known.node !== null ? { service: known.service, node: known.node } : undefined
  const author = known?.author ?? undefined
  return {
    via: { service, node, item },
    ...(author !== undefined && { author: { jid: author, name: known?.name ?? localPart(author) ?? author } }),
    ...(claimed && { claimedName: claimed }),
    ...(known?.title && { title: known.title }),
    ...(known?.alternate && { alternate: known.alternate }),
    ...(comments && { comments }),
    commentCount: known?.count ?? (comments === undefined ? 0 : await count(comments)),
    isHere: row.shownJson !== null,
  }
}
