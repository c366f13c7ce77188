import type { Proof } from '#server/store/proof.ts'
import type { ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { postPath, writeItemSegment } from '#shared/paths.ts'

interface Deps {
  readonly siteDomain: BareJid
}

/** The page that tells how a comment stands: whoever knows it sees the text. */
export function proofPath({ siteDomain }: Deps, { post, key }: Pick<Proof, 'post' | 'key'>): string {
  return `${postPath({ domain: siteDomain }, post)}/comments/proof/${key}`
}

/** The permanent address of the comment that came of it. */
export function commentPath({ siteDomain }: Deps, { post }: Pick<Proof, 'post'>, item: ItemId): string {
  return `${postPath({ domain: siteDomain }, post)}/comments/${writeItemSegment(item)}`
}

/** For a client: a message to the site account with the code in it (XEP-0147). */
export function codeUri(site: BareJid, code: string): string {
  return `xmpp:${site}?message;body=${encodeURIComponent(code)}`
}

/** The topic on which every change of it is told. */
export function proofTopic(key: string): string {
  return `proof:${key}`
}
