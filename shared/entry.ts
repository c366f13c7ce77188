import type { ItemAddress, NodeAddress } from './address.ts'
import type { BareJid } from './jid.ts'
import type { SafeHtml } from './markup.ts'
import type { RepostOf } from './write-repost.ts'

export { isPictureType, isWebAddress, readDraft, readEntry } from './read-entry.ts'
export { type CommentParts, type EntryParts, writeAlternate, writeComment, writeEntry } from './write-entry.ts'

/** A link of an entry; only http(s), xmpp and mailto addresses come through. */
export interface Link {
  readonly rel: string
  readonly href: string
  readonly type?: string
  readonly title?: string
}

/** A picture that belongs to an entry, as an enclosure beside its text. */
export interface Picture {
  readonly href: string
  /** Media type: JPEG, PNG, GIF or WebP. */
  readonly type: string
  /** What is to be seen, in words; '' where its author said nothing. */
  readonly alt: string
}

/** An item we understood: clean, bounded, and still only a claim about its author. */
export interface Entry {
  readonly atomId?: string
  /** One line; '' only where there is no text at all. */
  readonly title: string
  /** Whether the title is only the beginning of the text. */
  readonly isUntitled: boolean
  readonly summary?: string
  /** The Markdown, or plain text, where the author sent it. */
  readonly source?: string
  readonly html?: SafeHtml
  /** Plain text, 200 characters at most, cut at a word. */
  readonly excerpt: string
  readonly published?: Date
  readonly updated?: Date
  readonly author: { readonly name?: string; readonly jid?: BareJid }
  readonly tags: readonly string[]
  readonly language?: string
  readonly direction?: 'ltr' | 'rtl'
  readonly links: readonly Link[]
  /** Where its comments go. */
  readonly comments?: NodeAddress
  /** Its page on the web, http(s). */
  readonly alternate?: string
  readonly inReplyTo?: ItemAddress
  /** The `atom:id` of what it answers, where it gives no address (RFC 4685 §3). */
  readonly inReplyToId?: string
  /** Of a repost: the post that it repeats (XEP-0472 §5.6), and whose that is said to be. */
  readonly via?: Via
  readonly pictures: readonly Picture[]
  /** Whom it mentions (XEP-0372), 20 accounts at most. */
  readonly mentions: readonly BareJid[]
  /** Of attachments (XEP-0470): the emoji in them. */
  readonly reactions?: readonly string[]
}

/** The original of a repost, as the repost links to it. */
export interface Via {
  readonly address: ItemAddress
  /** What its author is called, by the word of who shared it. */
  readonly name?: string
}

/** What somebody writes; the title is '' for a short note. */
export interface PostDraft {
  readonly title: string
  readonly text: string
  readonly tags: readonly string[]
  readonly language: string
  readonly summary: string
  readonly comments: boolean
  /** Those of a gallery; absent where the form has none, so that an edit leaves them as they are. */
  readonly pictures?: readonly Picture[]
  /** The post that a new one repeats. */
  readonly repost?: RepostOf
}

/** Who writes: the account, and the name it goes by. */
export interface Author {
  readonly jid: BareJid
  readonly name: string
}
