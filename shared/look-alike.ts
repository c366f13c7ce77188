import unhomoglyph from 'unhomoglyph'
import { asciiDomain, type BareJid, domainOf, localPart } from './jid.ts'

// Signs of having been verified, and what looks like them.
const CHECK_MARK = /[\u221a\u237b\u2611\u2705\u2713\u2714\u2bbd\u{10102}\u{1f5f8}\u{1f5f9}]/u
// Light letters in dark circles and squares: Unicode's lists leave them out.
const LETTER_SIGN = /[\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]/gu
// Unicode's lists take some of these for the letters that they are, and some for others.
const SMALL_CAPITALS = 'ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ'
const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWYZ'
const SMALL_CAPITAL = new RegExp(`[${SMALL_CAPITALS}]`, 'gu')
const LONGEST = 300

/** Words for people who run a site or a blog, in its languages: no name has one of them by chance. */
const OFFICES = new Set(
  [
    'admin',
    'admins',
    'administrator',
    'administratorin',
    'administrateur',
    'administratrice',
    'moderator',
    'moderators',
    'moderatorin',
    'moderateur',
    'moderatrice',
    'sysadmin',
    'webmaster',
    'مشرف',
    'المشرف',
    'مدير',
    'المدير',
  ].map(lookOf),
)
/** What the pages themselves call somebody, and other names that are nobody's. */
const ROLES = new Set(
  [
    'author',
    'blogger',
    'editor',
    'operator',
    'owner',
    'official',
    'staff',
    'support',
    'system',
    'Autor',
    'Autorin',
    'Betreiber',
    'schrieb den Beitrag',
    'auteur',
    'auteur du billet',
    'صاحب المنشور',
  ].flatMap((role) => [lookOf(role), lookOf(`the ${role}`)]),
)

/**
 * The same text for names that look alike: the skeleton of UTS 39 §4, without regard to case, widths, accents, strokes,
 * spaces and signs between the letters. It is for comparing only.
 */
export function lookOf(name: string): string {
  const drawn = name
    .slice(0, LONGEST)
    .normalize('NFKD')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(LETTER_SIGN, plainLetter)
    .replace(SMALL_CAPITAL, (letter) => CAPITALS[SMALL_CAPITALS.indexOf(letter)] ?? letter)
  // Once more in small letters: an `M` is like none, an `m` like `rn`.
  const small = unhomoglyph(unhomoglyph(drawn).normalize('NFD').toLowerCase())
  // In capitals an `i` looks like an `l`, in small letters not: for both to be alike, all are one.
  const skeleton = small.replaceAll('i', 'l').replaceAll('w', 'vv').replaceAll('d', 'cl').replace(/\s/gu, '')
  // Of the marks only those that Latin, Greek and Cyrillic letters bear: those of other scripts may be vowels.
  return skeleton.replace(/[^\p{L}\p{N}\p{M}]|[\u0300-\u036f]/gu, '') || skeleton
}

function plainLetter(sign: string): string {
  // Both rows begin with A, 32 apart.
  return String.fromCharCode(65 + (((sign.codePointAt(0) ?? 0) - 0x1f150) % 32))
}

/** Whether a name pretends what only an address can tell: that it was verified, an office here, or an address itself. */
export function isPretending(name: string): boolean {
  const plain = name.normalize('NFKC')
  const words = [name, ...name.split(/[^\p{L}\p{N}\p{M}]+/u)].map(lookOf)
  if (words.some((word) => OFFICES.has(word)) || ROLES.has(lookOf(name))) return true
  if (CHECK_MARK.test(plain) || plain.includes('@') || /xmpp:|:\/\//i.test(plain)) return true
  return plain.split(/\s/u).some((word) => /[\p{L}\p{N}]\.\p{L}{2,}$/u.test(word))
}

// Scripts that are written together are one here; the last row is of all that no other has.
const SCRIPTS = [
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}]/u,
  /\p{Script=Latin}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Armenian}/u,
  /(?=\p{L})[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Common}\p{Script=Inherited}]/u,
]

/**
 * An address as people are shown it: what could be taken for another is written so that it cannot, the domain in
 * A-labels, and before it as in an `xmpp:` address.
 */
export function sayAddress(jid: BareJid): string {
  const domain = domainOf(jid).split('.').some(isMisleading) ? asciiDomain(jid) : domainOf(jid)
  const local = localPart(jid)
  if (local === undefined) return domain
  // Accents are seen: what is drawn as one letter without them is not.
  const isClear = !isMisleading(local.normalize('NFD').replace(/\p{M}/gu, ''))
  return `${isClear ? local : encodeURIComponent(local)}@${domain}`
}

/** Whether a label that is not ASCII is drawn like one that is, or mixes scripts. */
function isMisleading(label: string): boolean {
  if (!/[^\0-\x7f]/.test(label)) return false
  return !/[^\0-\x7f]/.test(lookOf(label)) || SCRIPTS.filter((script) => script.test(label)).length > 1
}
