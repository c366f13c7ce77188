import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { TalkRow } from '#server/store/room-talk.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import { sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { linkMentions, textToHtml } from '#shared/markup.ts'
import { postPath, type Site, writeItemSegment } from '#shared/paths.ts'
import type { TalkGroupView, TalkView } from '#web/views.ts'
import type { MentionPath } from '../mention-paths.ts'
import { messageAnchor, messagePath, roomAnswerPath, roomPath } from '../room-paths.ts'
import { viewWaiting } from './post-view.ts'
import type { RoomNames } from './room-names.ts'

/** What somebody says within so long is shown under their name once. */
const TOGETHER_MS = 5 * 60_000

export interface Talk {
  readonly site: Site
  /** Whose room it is. */
  readonly blog: NodeAddress
  readonly owner: BareJid
  readonly rows: readonly TalkRow[]
  readonly names: Pick<RoomNames, 'sayName'>
  /** Of the posts that are announced or answered. */
  readonly titles: ReadonlyMap<ItemId, string>
  readonly person: Person | undefined
  /** Whether they have joined, and may speak. */
  readonly isMember: boolean
  /** What they have on its way. */
  readonly outbox: readonly OutboxRow[]
  /** Paths of those whom the messages mention. */
  readonly pathOf: MentionPath
}

/** What was said, by who said it. */
export function viewTalk(talk: Talk): TalkGroupView[] {
  const groups: (TalkGroupView & { readonly messages: TalkView[] })[] = []
  let last: TalkRow | undefined
  for (const row of talk.rows) {
    const group = last !== undefined && isTogether(last, row) ? groups.at(-1) : undefined
    if (group === undefined) groups.push({ ...viewSpeaker(talk, row), messages: [viewMessage(talk, row)] })
    else group.messages.push(viewMessage(talk, row))
    last = row
  }
  return groups
}

function isTogether(last: TalkRow, { kind, author, nick, published }: TalkRow): boolean {
  if (kind === 'announcement' || last.kind === 'announcement') return false
  const isSame = author === last.author && nick === last.nick && (author ?? nick) !== undefined
  return isSame && published.getTime() - last.published.getTime() < TOGETHER_MS
}

function viewSpeaker({ owner, names }: Talk, row: TalkRow): Pick<TalkGroupView, 'name' | 'isOwner'> {
  const { kind, author } = row
  const name = names.sayName(row)
  return { ...(name === undefined ? {} : { name }), isOwner: kind !== 'announcement' && author === owner }
}

function viewMessage(talk: Talk, row: TalkRow): TalkView {
  const { site, blog, person, owner } = talk
  const { address } = row
  const segment = writeItemSegment(address.item)
  const mayRemove = person !== undefined && (person.jid === owner || person.jid === row.author)
  const removal = talk.outbox.find((each) => isRemovalOf(each, address))
  return {
    id: messageAnchor(address.item),
    url: messagePath(site, blog, address.item),
    published: row.published.toISOString(),
    html: linkMentions(row.html, row.marks, talk.pathOf),
    isEdited: row.isEdited,
    ...viewPost(talk, row),
    ...viewAnswered(talk, row),
    ...(talk.isMember ? { replyUrl: `${roomPath(site, blog)}?reply=${segment}#say` } : {}),
    ...(mayRemove ? { removeUrl: `${messagePath(site, blog, address.item)}/remove` } : {}),
    isHeld: row.hold !== undefined,
    ...(removal === undefined ? {} : { waiting: viewWaiting(removal) }),
  }
}

function isRemovalOf(row: OutboxRow, address: ItemAddress): boolean {
  if (!sameAddress(row.address, address)) return false
  const task = readTask(row)
  return task.kind === 'remove-comment' || (task.kind === 'room-message' && task.retracts !== undefined)
}

/** The post that a message announces or answers, where it is shown here. */
function viewPost({ site, blog, titles }: Talk, { kind, root, address }: TalkRow): Pick<TalkView, 'post'> {
  if (root === undefined || root.service !== blog.service || root.node !== blog.node) return {}
  const title = titles.get(root.item)
  if (title === undefined) return {}
  const isNew = kind === 'announcement'
  return { post: { title, url: isNew ? postPath(site, root) : roomAnswerPath(site, root, address.item), isNew } }
}

function viewAnswered({ rows, names, site, blog }: Talk, { inReplyTo, address }: TalkRow): Pick<TalkView, 'to'> {
  if (inReplyTo === undefined || inReplyTo.service !== address.service || inReplyTo.node !== address.node) return {}
  const answered = rows.find((row) => row.address.item === inReplyTo.item)
  if (answered?.kind === 'announcement') return {}
  const url = messagePath(site, blog, inReplyTo.item)
  const name = answered && names.sayName(answered)
  return { to: name === undefined ? { url } : { name, url } }
}

/** What its writer alone sees, as it is not in the room yet. */
export function viewUnsaid(rows: readonly OutboxRow[], name: string): TalkGroupView[] {
  return [...rows].reverse().flatMap((row): TalkGroupView[] => {
    const task = readTask(row)
    if (task.kind !== 'room-message' || task.text === undefined) return []
    const message: TalkView = {
      id: messageAnchor(row.address.item),
      published: row.createdAt.toISOString(),
      html: textToHtml(task.text),
      waiting: viewWaiting(row),
    }
    return [{ name, isOwner: false, messages: [message] }]
  })
}
