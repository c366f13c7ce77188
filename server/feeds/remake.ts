import type { EntryRow, NewEntry } from '#server/store/entry.ts'
import type { NodeRow } from '#server/store/node.ts'
import { deletePerson } from '#server/store/person.ts'
import { dropUnreadable, listStale, type StaleEntry, saveRemade } from '#server/store/stale-entry.ts'
import { type NodeAddress, sameAddress } from '#shared/address.ts'
import type { Credit } from '#shared/credit.ts'
import type { BareJid } from '#shared/jid.ts'
import { room as roomProfile } from '#shared/profiles/index.ts'
import { cleanLine } from '#shared/text.ts'
import { parseXml } from '#shared/xml.ts'
import { dropLeftThread } from './empty-node.ts'
import { ownerOfThread, toEntryRow } from './entry-row.ts'
import type { IngestDeps } from './ingest.ts'
import { finishMove } from './reactions/move-hearts.ts'
import { storeReactions } from './reactions/store-reactions.ts'
import { type ReadEntryItem, readWords } from './read-item.ts'
import { READER } from './reader.ts'
import { claimOfRepost } from './sharing/read-repost.ts'
import { findParent, learnName } from './store-item.ts'
import { followThread, type ThreadChanges, threadOf } from './thread.ts'

const LONGEST_NAME = 200

/**
 * Makes the newest `limit` entries of an older version anew from their payloads, as this version reads them: what is
 * shown of them and where their links lead. Who wrote them, when, and whether they are shown stays as it is, and nobody
 * is told. It ends after the first that is made at or past `until` (by `performance.now()`). All are of one transaction,
 * as a commit costs more than an entry: it rejects, with nothing changed, where one of them cannot be made. Returns how
 * many are done: 0 where none is of an older version.
 */
export async function remakeNewest(
  deps: IngestDeps,
  { limit, until }: { readonly limit: number; readonly until: number },
): Promise<number> {
  const changes: ThreadChanges[] = []
  const count = await deps.index.transaction().execute(async (index) => {
    let done = 0
    for (const stale of await listStale(index, { reader: READER, limit })) {
      changes.push(await remakeEntry({ ...deps, index }, stale))
      done++
      if (performance.now() >= until) break
    }
    return done
  })
  for (const { left, hearts } of changes) {
    if (left !== undefined) await dropLeftThread(deps, left)
    if (hearts !== undefined) await finishMove(deps.index, hearts)
  }
  return count
}

async function remakeEntry(deps: IngestDeps, stale: StaleEntry): Promise<ThreadChanges> {
  const item = readAgain(stale)
  if (item !== undefined) return save(deps, stale, item)
  await dropUnreadable(deps.index, stale.entry.id)
  return {}
}

/** The item as it was read, with the words that are in it now; undefined where there are none. */
function readAgain({ entry: existing, node }: StaleEntry): ReadEntryItem | undefined {
  const payload = parseXml(existing.payload)
  if (payload === undefined) return undefined
  if (node.kind === 'room') return readMessageAgain(existing, node, roomProfile.readEntry(payload))
  const found = readWords(node, { id: existing.item, payload })
  if (found === undefined) return undefined
  const credit = creditOf(existing, node.address.service)
  const { contributor } = readMore(existing)
  return {
    kind: 'entry',
    profile: found.profile,
    entry: claimOfRepost(found.entry, credit),
    credit,
    publisher: existing.publisher ?? undefined,
    payload: existing.payload,
    comments: commentsOf(existing, found.entry),
    contributor:
      existing.contributor === null
        ? undefined
        : { ...contributor, jid: existing.contributor, name: cleanLine(contributor?.name ?? '', LONGEST_NAME) },
  }
}

function readMessageAgain(
  existing: EntryRow,
  node: NodeRow,
  entry: ReadEntryItem['entry'] | undefined,
): ReadEntryItem | undefined {
  if (entry === undefined) return undefined
  const { kind = 'talk', nick, version } = readMore(existing)
  const name = cleanLine(nick ?? '', LONGEST_NAME) || undefined
  return {
    kind: 'entry',
    profile: roomProfile.name,
    entry: { ...entry, author: { name } },
    credit: creditOf(existing, node.address.service),
    publisher: existing.publisher ?? undefined,
    payload: existing.payload,
    comments: undefined,
    room: { kind, nick: name, version, at: new Date(existing.publishedAt) },
  }
}

async function save(
  deps: IngestDeps,
  { entry: existing, node }: StaleEntry,
  item: ReadEntryItem,
): Promise<ThreadChanges> {
  const address = { ...node.address, item: existing.item }
  const made = toEntryRow(deps, {
    node,
    address,
    existing,
    item,
    hold: existing.hold,
    isHistory: true,
    isRepeated: false,
  })
  const row = await findParent(deps, address, {
    ...existing,
    ...wordsOf(made),
    ...(node.kind !== 'room' && repliesOf(made)),
  })
  await saveRemade(deps.index, existing, { row: row as Partial<EntryRow>, tags: item.entry.tags })
  const changes = await followChanges(deps, { node, existing, row, item })
  if (existing.claimedName !== null && existing.claimedName !== row.claimedName && existing.author !== null) {
    await deletePerson(deps.index, existing.author, existing.claimedName)
  }
  await learnName(deps.index, item, existing.updatedAt)
  return changes
}

interface Changes {
  readonly node: NodeRow
  readonly existing: EntryRow
  readonly row: NewEntry
  readonly item: ReadEntryItem
}

/** Updates the dependents of an entry whose thread or heart changed. */
async function followChanges(
  deps: IngestDeps,
  { node, existing, row, item }: Changes,
): Promise<Pick<ThreadChanges, 'left' | 'hearts'>> {
  const [before, after] = [threadOf(existing), threadOf(row)]
  const isSame = before === undefined || after === undefined ? before === after : sameAddress(before, after)
  if (isSame && row.isLike === existing.isLike) return {}
  const address = { ...node.address, item: existing.item }
  const reactions = item.entry.reactions ?? []
  await storeReactions(deps.index, { id: existing.id, node, address, row, former: existing, reactions })
  if (isSame) return {}
  const owner = ownerOfThread(node, existing.author)
  const question = { address, row, former: existing, owner, attachments: undefined, now: deps.clock() }
  const { left, hearts } = await followThread(deps.index, question)
  return { left, hearts }
}

/** Columns made from the words and the links; a reply keeps its parent unless it names one itself. */
function wordsOf(made: NewEntry): Partial<NewEntry> {
  const { title, isUntitled, excerpt, summary, html, tags, language, direction, more, look, reader } = made
  const { claimedName, isLike, alternate, commentsService, commentsNode, replyRef } = made
  return {
    ...{ title, isUntitled, excerpt, summary, html, tags, language, direction, more, look, reader },
    ...{ claimedName, isLike, alternate, commentsService, commentsNode, replyRef },
  }
}

function repliesOf({ replyService, replyNode, replyItem }: NewEntry): Partial<NewEntry> {
  return { replyService, replyNode, replyItem }
}

function creditOf({ credit, author, claimedJid }: EntryRow, service: BareJid): Credit {
  if (credit === 'unverified' || author === null) return { kind: 'unverified', claimed: claimedJid ?? undefined }
  return credit === 'credited' ? { kind: 'credited', author } : { kind: 'according', author, service }
}

/** The known comments node, if the entry still names it: whether its author may was checked when it was read. */
function commentsOf(existing: EntryRow, { comments }: ReadEntryItem['entry']): NodeAddress | undefined {
  const known = threadOf(existing)
  return known !== undefined && comments !== undefined && sameAddress(known, comments) ? known : undefined
}

interface More {
  readonly kind?: 'announcement' | 'answer' | 'talk'
  readonly nick?: string
  readonly version?: string
  readonly contributor?: { readonly name?: string; readonly how?: 'message' | 'confirm' }
}

function readMore({ more }: EntryRow): More {
  return JSON.parse(more) as More
}
