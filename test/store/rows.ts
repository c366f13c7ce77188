import type { NewEntry } from '#server/store/entry.ts'
import type { ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { escapeText } from '#shared/markup.ts'

export interface EntrySketch {
  readonly nodeId: number
  readonly item: ItemId
  readonly author: BareJid
  /** Milliseconds. */
  readonly at: number
  readonly tags: readonly string[]
}

/** A credited post with nothing remarkable about it. */
export function entryRow({ nodeId, item, author, at, tags }: EntrySketch): NewEntry {
  return {
    ...{ nodeId, item, author, publisher: author, claimedJid: author, claimedName: null, credit: 'credited' },
    ...{ isPost: 1, isLike: 0, title: item.slice(0, 300), isUntitled: 0, excerpt: '', summary: null },
    ...{ html: escapeText(item), tags: JSON.stringify(tags), language: null, direction: null },
    ...{ publishedAt: at, updatedAt: at, isEdited: 0, atomId: null, alternate: null },
    ...{ commentsService: null, commentsNode: null, replyService: null, replyNode: null, replyItem: null },
    ...{ payload: '<entry/>', firstSeenAt: at, changedAt: at },
  }
}
