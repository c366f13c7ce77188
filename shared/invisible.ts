import { toUnicode } from 'tr46'

// Format characters, what is drawn as nothing where it is not understood, and signs that are blank by themselves.
const HIDDEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]/u
const VISIBLE = /[^\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]/u
// Format characters that are drawn: signs that stand before or around numbers.
const DRAWN = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u
// What neither is hidden nor begins an emoji.
const PLAIN = /[^\p{Emoji}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]+/uy
const EMOJI = /\p{RGI_Emoji}/vy
const JOINERS = '\u200c\u200d'
/** Characters around a joiner that say whether it may stand there. */
const AROUND = 12

/** Whether a text shows nothing. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text)
}

/**
 * The text without format characters and blank letters, for names, titles and tags. Joiners stay where a script needs
 * them (UAX 31 §2.3), and whatever belongs to an emoji of Unicode's own list, as tag characters of flags.
 */
export function withoutInvisible(text: string): string {
  if (!HIDDEN.test(text)) return text
  let clean = ''
  for (let at = 0; at < text.length; ) {
    const piece = readAt(PLAIN, text, at) ?? readAt(EMOJI, text, at) ?? String.fromCodePoint(text.codePointAt(at) ?? 0)
    if (!HIDDEN.test(piece) || !isSingle(piece) || mayStay(text, piece, at)) clean += piece
    at += piece.length
  }
  return clean
}

/** What a sticky expression finds at a place. */
function readAt(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at
  return expression.exec(text)?.[0]
}

function isSingle(piece: string): boolean {
  return piece.length <= 2 && String.fromCodePoint(piece.codePointAt(0) ?? 0) === piece
}

function mayStay(text: string, char: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - AROUND), at)
  return JOINERS.includes(char)
    ? mayJoin(before, char, text.slice(at + 1, at + 1 + AROUND))
    : DRAWN.test(char) || mayVary(before, char)
}

/** Whether a joiner stands between letters that it changes: CONTEXTJ of RFC 5892, which is what UAX 31 allows. */
function mayJoin(before: string, joiner: string, after: string): boolean {
  const [word] = /\p{L}[\p{L}\p{M}]{0,11}$/u.exec(before) ?? []
  const [rest = ''] = /^[\p{L}\p{M}]{1,12}/u.exec(after) ?? []
  return word !== undefined && !toUnicode(`${word}${joiner}${rest}`, { checkJoiners: true }).error
}

/** Whether the character before a variation selector has variants. */
function mayVary(before: string, selector: string): boolean {
  if (/[\ufe0e\ufe0f]/u.test(selector)) return /\p{Emoji}$/u.test(before)
  if (/[\ufe00-\ufe0d\u{e0100}-\u{e01ef}]/u.test(selector)) return /[\p{Script=Han}\p{Sm}]$/u.test(before)
  return /[\u180b-\u180d\u180f]/u.test(selector) && /\p{Script=Mongolian}$/u.test(before)
}
