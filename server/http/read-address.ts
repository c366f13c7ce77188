import { AppError } from '#server/errors.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { type NodeAddress, readXmppUri } from '#shared/address.ts'
import { type BareJid, localPart, readBareJid } from '#shared/jid.ts'

/** What somebody typed: a node on XMPP, or a page on the web that may name one. */
export type TypedAddress =
  | { readonly kind: 'node'; readonly address: NodeAddress }
  | { readonly kind: 'web'; readonly url: string }

const LONGEST = 8_192
const WORD = /^[^\s@./:[\]?#]+$/
const WEB = /^https?:\/\//i

/** What somebody typed, where a single word means an account of `domain`, as at sign-in. */
export function completeAccount(typed: string, domain: BareJid): string {
  const word = typed.trim().replace(/^@/, '')
  return WORD.test(word) ? `${word}@${domain}` : typed
}

/** Reads an address in any of its forms; throws `bad-request` with what to write instead. */
export function readTypedAddress(typed: string): TypedAddress {
  const text = typed.trim().slice(0, LONGEST)
  if (text === '') throw new AppError('bad-request', 'Write the address of a blog first.')
  if (/^xmpp:/i.test(text)) return node(readUri(text), text)
  if (WEB.test(text)) return { kind: 'web', url: text }
  const [first = '', ...rest] = text.split(/\s+/)
  if (rest.length > 0) return node(readPair(first, rest.join(' ')), text)
  return readWord(text)
}

/** `juliet@capulet.example`, `pubsub.capulet.example/NODE`, or a web address without its beginning. */
function readWord(text: string): TypedAddress {
  const word = text.startsWith('@') ? text.slice(1) : text
  const slash = word.indexOf('/')
  const [host, path] = slash < 0 ? [word, undefined] : [word.slice(0, slash), word.slice(slash + 1)]
  const jid = readBareJid(host)
  if (jid === undefined) return node(undefined, text)
  // Of an account the rest is a resource, unless it looks like the name of a node.
  if (localPart(jid) !== undefined) {
    return { kind: 'node', address: path?.startsWith('urn:') ? { service: jid, node: path } : blogOf(jid) }
  }
  if (path === undefined || path === '' || path.startsWith('@') || path.includes('/')) {
    return { kind: 'web', url: `https://${word}` }
  }
  return { kind: 'node', address: { service: jid, node: path } }
}

function readUri(text: string): NodeAddress | undefined {
  const uri = readXmppUri(text)
  if (uri === undefined) return undefined
  if (uri.node !== undefined) return { service: uri.service, node: uri.node }
  return localPart(uri.service) === undefined ? undefined : blogOf(uri.service)
}

function readPair(first: string, name: string): NodeAddress | undefined {
  const service = readBareJid(first)
  return service === undefined ? undefined : { service, node: name }
}

function node(address: NodeAddress | undefined, text: string): TypedAddress {
  if (address !== undefined) return { kind: 'node', address }
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text
  throw new AppError(
    'bad-request',
    `“${shown}” is no address of a blog. Write an XMPP address such as juliet@capulet.example, the web address of a blog, or a service and the name of a node.`,
  )
}
