import type { EntryRow, NewEntry } from '#server/store/entry.ts'
import { isFeed, type NodeRow } from '#server/store/node.ts'
import { clampDate } from '#shared/dates.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { lookOf } from '#shared/look-alike.ts'
import { escapeText, plainText, type SafeHtml, sanitizeHtml } from '#shared/markup.ts'
import { markMentions } from '#shared/mentions.ts'
import type { IngestDeps } from './ingest.ts'
import type { ReadEntryItem } from './read-item.ts'
import { READER } from './reader.ts'
import type { Saving } from './store-item.ts'

/** Whether a version may take the place of the one we have: only its publisher's own may (design, "Who wrote it"). */
export function mayReplace(existing: EntryRow, { publisher, payload, credit }: ReadEntryItem): boolean {
  if (existing.publisher !== null) return publisher === existing.publisher
  if (publisher === undefined || payload === existing.payload) return true
  // The first version came without publisher: only who it claimed to be from may say more.
  return credit.kind !== 'unverified' && existing.claimedJid === publisher
}

/** The row of an item: dates that may be sorted by, only links that may be trusted. */
export function toEntryRow(deps: IngestDeps, { node, address, existing, item, hold, isHistory }: Saving): NewEntry {
  const { entry, credit, publisher, payload, comments } = item
  const now = deps.clock()
  const firstSeen = existing === undefined ? now : new Date(existing.firstSeenAt)
  const published = clampDate(entry.published ?? entry.updated, firstSeen)
  const claimedUpdate = clampDate(entry.updated ?? (existing === undefined ? published : now), now)
  const updatedAt = Math.max(claimedUpdate.getTime(), published.getTime())
  const reply = entry.inReplyTo
  const html = entry.html ?? htmlOfTitle(entry.title)
  return {
    nodeId: node.id,
    item: address.item,
    publisher: publisher ?? existing?.publisher ?? null,
    author: credit.kind === 'unverified' ? null : credit.author,
    claimedJid: entry.author.jid ?? null,
    claimedName: entry.author.name ?? null,
    credit: credit.kind,
    isPost: Number(isFeed(node)),
    isLike: Number(node.kind === 'attachments' || (node.kind === 'comments' && isLike(entry))),
    title: entry.title,
    isUntitled: Number(entry.isUntitled),
    excerpt: entry.excerpt,
    summary: entry.summary ?? null,
    html,
    tags: JSON.stringify(entry.tags),
    language: entry.language ?? null,
    direction: entry.direction ?? null,
    publishedAt: published.getTime(),
    updatedAt,
    // A second apart is one act, for clients that read the clock twice.
    isEdited: Number(updatedAt - published.getTime() > 1000),
    atomId: entry.atomId ?? null,
    alternate: entry.alternate ?? null,
    commentsService: comments?.service ?? null,
    commentsNode: comments?.node ?? null,
    replyService: reply?.service ?? null,
    replyNode: reply?.node ?? null,
    replyItem: reply?.item ?? null,
    replyRef: entry.inReplyToId ?? null,
    payload,
    profile: item.profile,
    more: JSON.stringify(writeMore(item, html)),
    firstSeenAt: firstSeen.getTime(),
    changedAt: now.getTime(),
    hold,
    contributor: item.contributor?.jid ?? null,
    ...{
      rootService: item.root?.service ?? null,
      rootNode: item.root?.node ?? null,
      rootItem: item.root?.item ?? null,
    },
    viaService: entry.via?.address.service ?? null,
    viaNode: entry.via?.address.node ?? null,
    viaItem: entry.via?.address.item ?? null,
    arrivedAt: existing?.arrivedAt ?? (isHistory ? published : now).getTime(),
    look: isFeed(node) ? null : lookOfWriter(item),
    reader: READER,
  }
}

/** The look of the writer's name; null where no writer is known. */
function lookOfWriter({ entry, credit, contributor }: ReadEntryItem): string | null {
  const writer = contributor?.jid ?? (credit.kind === 'unverified' ? undefined : credit.author)
  if (writer === undefined) return null
  const name = contributor === undefined ? entry.author.name : contributor.name
  return lookOf(name || (localPart(writer) ?? writer))
}

/** What is kept beside the core, by name; nothing where there is nothing. */
function writeMore({ entry, contributor, room }: ReadEntryItem, html: SafeHtml): Record<string, unknown> {
  const marks = markMentions(html)
  return {
    ...(room !== undefined && { kind: room.kind, nick: room.nick, version: room.version }),
    ...(entry.via?.name !== undefined && { via: { name: entry.via.name } }),
    ...(entry.pictures.length > 0 && { pictures: entry.pictures }),
    ...(entry.reactions !== undefined && { reactions: entry.reactions }),
    ...(entry.mentions.length > 0 && { mentions: entry.mentions }),
    ...(marks.length > 0 && { marks }),
    ...(contributor !== undefined && { contributor: { name: contributor.name, how: contributor.how } }),
  }
}

/** Whose the thread of a post is: of a blog's its owner's, in a community its writer's. */
export function ownerOfThread({ kind, owner }: NodeRow, author: BareJid | null): BareJid | undefined {
  return kind === 'community' ? (author ?? undefined) : owner
}

/** Movim's like is a comment of this one character, with or without a variation selector. */
export function isLike({ title, html }: ReadEntryItem['entry']): boolean {
  return /^♥\ufe0f?$/u.test(title.trim()) && (html === undefined || plainText(html).length <= 2)
}

// A comment by Movim is a title without content.
function htmlOfTitle(title: string): SafeHtml {
  return sanitizeHtml(`<p>${escapeText(title)}</p>`)
}
