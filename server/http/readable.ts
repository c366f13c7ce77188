import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import { type BlogRow, feedKey } from '#server/store/blog.ts'
import { findFollow } from '#server/store/follow.ts'
import { listRestrictedFeeds } from '#server/store/restricted-node.ts'
import type { ThreadPlace, ThreadReader } from '#server/store/thread.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import type { AppContext } from './context.ts'

type Deps = Pick<AppContext, 'permits'>

/** Whether somebody may be shown a restricted node: it is on their account, or their session could read it lately. */
export function mayReadRestricted({ permits }: Deps, jid: BareJid, { service, node }: NodeAddress): boolean {
  return jid === service || permits?.has(jid, { service, node }) === true
}

/** A person as a reader of what is said about a post, or on one node. */
export function readerOf(
  deps: Deps,
  person: Pick<Person, 'jid'> | undefined,
  place: ThreadPlace | NodeAddress,
): ThreadReader | undefined {
  if (person === undefined) return undefined
  const nodes = 'service' in place ? [place] : listThreadNodes(place)
  return { jid: person.jid, readable: nodes.filter((node) => mayReadRestricted(deps, person.jid, node)) }
}

/** The nodes with what is said about a post: comments and attachments. */
export function listThreadNodes({ address, comments }: ThreadPlace): NodeAddress[] {
  return comments === undefined ? [attachmentsOf(address)] : [comments, attachmentsOf(address)]
}

/** Throws for a restricted feed that this person may not be shown; who follows it is told why. */
export async function requirePermit(
  deps: Deps & Pick<AppContext, 'state'>,
  { address, status }: Pick<BlogRow, 'address' | 'status'>,
  person: Pick<Person, 'jid'> | undefined,
): Promise<void> {
  if (status !== 'restricted') return
  if (person !== undefined && mayReadRestricted(deps, person.jid, address)) return
  const isFollowed = person !== undefined && (await findFollow(deps.state, person.jid, address)) !== undefined
  if (isFollowed) throw new AppError('forbidden', EXPLANATION)
  throw new AppError('not-found', 'There is no such blog.')
}

const EXPLANATION =
  'Only people whom its owner lets in may read this. It is shown as soon as your own account can read it: ask its owner, or try again in a minute.'

export interface Readable {
  readonly addresses: readonly NodeAddress[]
  /** Restricted, and not to be shown to this person now. */
  readonly leftOut: readonly NodeAddress[]
}

/** Which of these feeds somebody may be shown. */
export async function chooseReadable(
  deps: Deps & Pick<AppContext, 'index'>,
  jid: BareJid,
  addresses: readonly NodeAddress[],
): Promise<Readable> {
  const restricted = new Set((await listRestrictedFeeds(deps.index)).map(feedKey))
  const isLeftOut = (address: NodeAddress) => restricted.has(feedKey(address)) && !mayReadRestricted(deps, jid, address)
  return {
    addresses: addresses.filter((address) => !isLeftOut(address)),
    leftOut: addresses.filter(isLeftOut),
  }
}

/** Why something of what somebody follows is not there, in a sentence. */
export function explainLeftOut(leftOut: readonly { readonly title?: string; readonly address: NodeAddress }[]): string {
  const names = leftOut.map(({ title, address }) => title ?? address.service).join(', ')
  return `${names}: only people whom its owner lets in may read it. It is shown as soon as your own account can read it, while you are signed in.`
}
