// The IdentifierClass of RFC 8264 by Unicode properties: letters, digits, marks and printable ASCII.
const IDENTIFIER =
  /^[\p{Ll}\p{Lu}\p{Lo}\p{Lm}\p{Nd}\p{Mn}\p{Mc}\x21-\x7e\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb\u200c\u200d]+$/u
const IGNORABLE = /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u
const OLD_HANGUL = /[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u
const WIDE = /[\u3000\uff01-\uffee]/gu
// RFC 7622 §3.3.1.
const FORBIDDEN_IN_LOCAL = /["&'/:<>@]/

// CONTEXTJ and CONTEXTO, RFC 5892 appendix A: a character, and where it may stand.
const CONTEXT: readonly (readonly [RegExp, RegExp])[] = [
  [/\u00b7/gu, /l\u00b7(?=l)/gu],
  [/\u0375/gu, /\u0375(?=\p{Script=Greek})/gu],
  [/[\u05f3\u05f4]/gu, /(?<=\p{Script=Hebrew})[\u05f3\u05f4]/gu],
  [/\u200d/gu, /(?<=\p{Script=Devanagari}\u094d|\u09cd|\u0acd|\u0b4d|\u0bcd|\u0c4d|\u0ccd|\u0d4d|\u0dca)\u200d/gu],
  [/\u200c/gu, /(?<=\u094d|\u09cd|\u0acd|\u0b4d|\u0bcd|\u0c4d|\u0ccd|\u0d4d|\u0dca|\p{Script=Arabic})\u200c/gu],
]

/** UsernameCaseMapped (RFC 8265) with the exclusions of RFC 7622 §3.3: the prepared local part, or undefined. */
export function prepareLocalPart(text: string): string | undefined {
  let prepared = text
  // RFC 8264 §7: until stable, four times at most.
  for (let round = 0; round < 4; round++) {
    const next = prepared
      .replace(WIDE, (char) => char.normalize('NFKC'))
      .toLowerCase()
      .normalize('NFC')
    if (next === prepared) return isIdentifier(next) && !FORBIDDEN_IN_LOCAL.test(next) ? next : undefined
    prepared = next
  }
  return undefined
}

/** OpaqueString (RFC 8265 §4.2), as RFC 7622 §3.4 wants for a resource. */
export function prepareResource(text: string): string | undefined {
  const prepared = text.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  if (prepared === '' || /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(prepared)) return undefined
  return prepared
}

function isIdentifier(text: string): boolean {
  if (!IDENTIFIER.test(text) || OLD_HANGUL.test(text) || !hasOnlyOneKindOfArabicDigits(text)) return false
  if (IGNORABLE.test(text.replace(/[\u200c\u200d]/gu, ''))) return false
  if (/\u30fb/u.test(text) && !/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(text)) return false
  for (const char of text) if (char > '\x7f' && char.normalize('NFKC') !== char) return false
  return CONTEXT.every(([char, place]) => count(text, char) === count(text, place))
}

function hasOnlyOneKindOfArabicDigits(text: string): boolean {
  return !(/[\u0660-\u0669]/u.test(text) && /[\u06f0-\u06f9]/u.test(text))
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
