import { asItemId, type ItemId } from './address.ts'
import { asciiDomain, type BareJid, localPart } from './jid.ts'

const LENGTH = 60
const RANDOM_LENGTH = 8

/**
 * A new item id: lower-case ASCII words of the title and 8 of the letters and digits of `random` (a UUID will do).
 * 60 at most, as node names derived from it must fit Prosody's file names; never under 8, as Movim wants 6.
 */
export function createItemId(title: string, random: string): ItemId {
  const end = random
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, RANDOM_LENGTH)
  if (end.length < RANDOM_LENGTH) throw new RangeError('createItemId needs 8 random letters or digits')
  let id = ''
  for (const word of wordsOf(title)) {
    const next = id === '' ? word : `${id}-${word}`
    if (next.length + 1 + RANDOM_LENGTH > LENGTH) {
      id = id === '' ? word.slice(0, LENGTH - 1 - RANDOM_LENGTH) : id
      break
    }
    id = next
  }
  return asItemId(id === '' ? end : `${id}-${end}`)
}

/** The name of a new node: lower-case ASCII words of its title, 50 characters at most. Undefined where it has none. */
export function createNodeName(title: string): string | undefined {
  return wordsOf(title).join('-').slice(0, 50).replace(/-$/, '') || undefined
}

function wordsOf(title: string): readonly string[] {
  const plain = title
    .slice(0, 1000)
    .normalize('NFKD')
    .replace(/[\p{M}'’]/gu, '')
  return plain.toLowerCase().match(/[a-z0-9]+/g) ?? []
}

/** `tag:DOMAIN,DATE:LOCAL/ITEM` (RFC 4151): the atom:id of an entry, made once. */
export function createTagUri(author: BareJid, created: Date, item: ItemId): string {
  return `tag:${asciiDomain(author)},${created.toISOString().slice(0, 10)}${tagEnd(author, item)}`
}

/** Whether an atom:id is the `tag:` of this very author and item, of whatever day. */
export function isOwnTagUri(id: string, author: BareJid, item: ItemId): boolean {
  const start = `tag:${asciiDomain(author)},`
  const end = tagEnd(author, item)
  return id.startsWith(start) && id.endsWith(end) && /^\d{4}-\d\d-\d\d$/.test(id.slice(start.length, -end.length))
}

function tagEnd(author: BareJid, item: ItemId): string {
  return `:${encode(localPart(author) ?? '')}/${encode(item)}`
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/'/g, '%27')
}
