import type { Element } from 'ltx'
import { readDate, writeDate } from './dates.ts'
import { NS } from './ns.ts'
import { childrenOf, cloneXml, createElement as el, isElement, textOf } from './xml.ts'

/** Every red heart, whoever writes it and how. */
export const HEART = '♥'

/** Other emoji of one person that count. */
export const MOST_EMOJI = 20
/** UTF-8, of one emoji: the longest that Unicode has is a family of 41. */
const MOST_BYTES = 64
/** Elements that are looked at, of whatever a hostile client sends. */
const MOST_READ = 200

const SELECTORS = /[\ufe0e\ufe0f]/gu
// Characters that are emoji only with U+FE0F after them.
const UNQUALIFIED = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu
const ONE_EMOJI = /^\p{RGI_Emoji}$/v

/** The emoji, one and the same however it is written; undefined for anything that is not exactly one (UTS #51). */
export function readEmoji(text: string): string | undefined {
  if (text.length > MOST_BYTES * 2) return undefined
  const plain = text.trim().replace(SELECTORS, '')
  if (plain === '' || new TextEncoder().encode(plain).length > MOST_BYTES) return undefined
  if (plain === '❤' || plain === HEART) return HEART
  return ONE_EMOJI.test(plain) || ONE_EMOJI.test(qualify(plain)) ? plain : undefined
}

/** As it is shown and sent: with the variation selectors that UTS #51 wants. */
export function writeEmoji(emoji: string): string {
  if (emoji === HEART) return '❤\ufe0f'
  return ONE_EMOJI.test(emoji) ? emoji : qualify(emoji)
}

function qualify(plain: string): string {
  return plain.replace(UNQUALIFIED, '$&\ufe0f')
}

/** What somebody attached to a post (XEP-0470), as far as it is a reaction. */
export interface Reactions {
  /** Each once, in their order, 20 at most. */
  readonly emoji: readonly string[]
  readonly at?: Date
}

/** Undefined where the payload holds no attachments. */
export function readReactions(payload: Element): Reactions | undefined {
  if (!payload.is('attachments', NS.ATTACHMENTS)) return undefined
  const lists = childrenOf(payload, 'reactions', NS.ATTACHMENTS)
  const found = new Set<string>()
  for (const child of lists.flatMap((list) => childrenOf(list, 'reaction', NS.ATTACHMENTS)).slice(0, MOST_READ)) {
    const emoji = readEmoji(textOf(child))
    if (emoji !== undefined && found.size < MOST_EMOJI) found.add(emoji)
  }
  const at = lists.map(({ attrs }) => readDate(String(attrs.timestamp ?? ''))).find((date) => date !== undefined)
  return { emoji: [...found], ...(at === undefined ? {} : { at }) }
}

export interface Reaction {
  readonly emoji: string
  readonly isOn: boolean
  readonly now: Date
}

/** The attachments of somebody with one reaction more or less: whatever else is in them stays (XEP-0470 §4.1). */
export function writeReaction(former: Element | undefined, { emoji, isOn, now }: Reaction): Element {
  const isKnown = former?.is('attachments', NS.ATTACHMENTS) === true
  const payload = isKnown ? cloneXml(former) : el('attachments', { xmlns: NS.ATTACHMENTS })
  const [list, ...others] = childrenOf(payload, 'reactions', NS.ATTACHMENTS)
  const kept = [list, ...others].flatMap((each) => each?.children.filter(isElement) ?? [])
  const wanted = kept.filter((child) => readEmoji(textOf(child)) !== emoji)
  payload.children = payload.children.filter((child) => !isElement(child) || !child.is('reactions', NS.ATTACHMENTS))
  const all = [...wanted, ...(isOn ? [el('reaction', {}, writeEmoji(emoji))] : [])]
  if (all.length === 0) return payload
  const prefix = payload.name.slice(0, payload.name.length - payload.getName().length)
  const reactions = payload.cnode(el(`${prefix}reactions`, { ...list?.attrs, timestamp: writeDate(now) }))
  for (const child of all) {
    const isNew = !wanted.includes(child)
    reactions.cnode(isNew ? el(`${prefix}reaction`, {}, writeEmoji(emoji)) : cloneXml(child))
  }
  return payload
}
