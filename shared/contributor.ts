import type { Element } from 'ltx'
import { readXmppUri, writeXmppUri } from './address.ts'
import { type BareJid, localPart } from './jid.ts'
import { NS } from './ns.ts'
import { cleanLine } from './text.ts'
import { childrenOf, createElement as el, textOf } from './xml.ts'

/** How somebody proved whose account they have: by a message with a code, or by an answer to XEP-0070's question. */
export type ProofHow = 'message' | 'confirm'

/** Who wrote what another account published for them (RFC 4287 §4.2.3): only a claim of that account. */
export interface Contributor {
  readonly jid: BareJid
  readonly name?: string
  readonly how?: ProofHow
  /** By which the site that proved it knows its own word again. */
  readonly mark?: string
}

const NAME = 200

/** `contributor` with the account, what it is called, and how it was proved: the last is our own extension. */
export function writeContributor({ jid, name = '', how, mark }: Contributor): Element {
  return el(
    'contributor',
    {},
    el('name', {}, cleanLine(name, NAME) || (localPart(jid) ?? jid)),
    el('uri', {}, writeXmppUri({ service: jid })),
    how === undefined ? undefined : el('proof', { xmlns: NS.PROOF, how, mark }),
  )
}

/** The first contributor of an entry who has an XMPP account. */
export function readContributor(payload: Element): Contributor | undefined {
  for (const element of childrenOf(payload, 'contributor', NS.ATOM).slice(0, 10)) {
    const [uri] = childrenOf(element, 'uri', NS.ATOM)
    const jid = uri === undefined ? undefined : readXmppUri(textOf(uri))?.service
    // A server, or a room, is nobody.
    if (jid === undefined || localPart(jid) === undefined) continue
    const [nameElement] = childrenOf(element, 'name', NS.ATOM)
    const name = nameElement === undefined ? '' : cleanLine(textOf(nameElement), NAME)
    const { how, mark } = childrenOf(element, 'proof', NS.PROOF)[0]?.attrs ?? {}
    const isKnown = how === 'message' || how === 'confirm'
    return { jid, ...(name !== '' && { name }), ...(isKnown && { how }), ...(mark !== undefined && { mark }) }
  }
  return undefined
}
