import unhomoglyph from 'unhomoglyph'

// Signs of having been verified, and what looks like them.
const CHECK_MARK = /[\u221a\u237b\u2611\u2705\u2713\u2714\u2bbd\u{10102}\u{1f5f8}\u{1f5f9}]/u
const LONGEST = 300

/**
 * The same text for names that look alike: the skeleton of UTS 39 §4, without regard to case, widths, spaces and signs
 * between the letters. It is for comparing only.
 */
export function lookOf(name: string): string {
  const drawn = name
    .slice(0, LONGEST)
    .normalize('NFKD')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
  // Once more in small letters: an `M` is like none, an `m` like `rn`.
  const small = unhomoglyph(unhomoglyph(drawn).normalize('NFD').toLowerCase())
  // In capitals an `i` looks like an `l`, in small letters not: for both to be alike, all are one.
  const skeleton = small.replaceAll('i', 'l').replace(/\s/gu, '')
  return skeleton.replace(/[^\p{L}\p{N}\p{M}]/gu, '') || skeleton
}

/** Whether a name pretends what only an address can tell: that it was verified, or an address itself. */
export function isPretending(name: string): boolean {
  const plain = name.normalize('NFKC')
  if (CHECK_MARK.test(plain) || plain.includes('@') || /xmpp:|:\/\//i.test(plain)) return true
  return plain.split(/\s/u).some((word) => /[\p{L}\p{N}]\.\p{L}{2,}$/u.test(word))
}
