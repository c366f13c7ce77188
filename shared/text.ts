import { withoutInvisible } from './invisible.ts'

// The characters XML 1.0 §2.2 does not allow, and DEL and the C1 controls, which only do harm in text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/g

/** The text without what XML cannot carry: lone surrogates become U+FFFD, and line ends `\n`, as any parser makes them. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, '\n').replace(ILLEGAL, '')
}

/** V8 copies what is cut off a text only where it is shorter than this. */
const SHORTEST_SLICE = 13

/**
 * The same text in memory of its own. V8 makes no copy of what is cut off a text or joined from others: it refers to
 * them, so that a name out of a megabyte would keep the megabyte as long as somebody keeps the name. No function of
 * JavaScript promises a copy: cutting a text that was just joined makes one, and a test measures that it still does.
 */
export function detachText(text: string): string {
  return text.length < SHORTEST_SLICE ? text : ` ${text}`.slice(1)
}

/** One line for a name, a title or a tag: clean, white space collapsed, nothing invisible, `length` at most. */
export function cleanLine(text: string, length: number): string {
  // Sliced first, so that a megabyte costs no more than a line.
  const head = text.length > length * 8 ? text.slice(0, length * 8) : text
  return detachText(shorten(withoutInvisible(cleanText(head)).replace(/\s+/gu, ' ').trim(), length))
}

/** The lines without white space around them and without empty ones. Takes time that grows with the text alone. */
export function trimmedLines(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** At most `length` characters (UTF-16 units), cut at a word where there is one, with an ellipsis. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  const cut = text
    .slice(0, length - 1)
    .toWellFormed()
    .replace(/\ufffd$/u, '')
  const words = withoutLastWord(cut)
  return detachText(`${(words.length > length / 2 ? words : cut).trimEnd()}…`)
}

/** The text before its last white space; all of it where it has none. */
export function withoutLastWord(text: string): string {
  let end = text.length
  while (end > 0 && !/\s/u.test(text.charAt(end - 1))) end--
  return end === 0 ? text : text.slice(0, end).trimEnd()
}

/** Text for XML and HTML alike: `&`, `<`, `>` and `"` escaped, illegal characters gone. */
export function escapeXml(text: string): string {
  return cleanText(text).replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char)
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const RIGHT_TO_LEFT =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u

/** The direction of the first letter that has one (as `dir="auto"` decides), or undefined without letters. */
export function readDirection(text: string): 'ltr' | 'rtl' | undefined {
  const letter = /\p{L}/u.exec(text)
  if (letter === null) return undefined
  return RIGHT_TO_LEFT.test(letter[0]) ? 'rtl' : 'ltr'
}
