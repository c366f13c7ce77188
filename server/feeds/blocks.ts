import { AppError } from '#server/errors.ts'
import { findBlock } from '#server/store/community.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { listRightfulPosts } from '#server/store/thread-node.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

export interface BlocksDeps {
  readonly index: IndexDb
  readonly state: StateDb
}

/** Who shut somebody out of a community; who is shut out of it is so of the comments on its posts too. */
export async function findBlocker(
  { index, state }: BlocksDeps,
  address: NodeAddress,
  jid: BareJid,
): Promise<BareJid | undefined> {
  const by = await findBlock(state, address, jid)
  if (by !== undefined) return by
  for (const post of await listRightfulPosts(index, address)) {
    const blocker = await findBlock(state, post, jid)
    if (blocker !== undefined) return blocker
  }
  return undefined
}

/** COMPAT(ejabberd 24.12, Prosody 13): where everybody may publish they let outcasts too, so we do not ask them. */
export async function requireNotBlocked(
  deps: BlocksDeps,
  { address, account }: { readonly address: NodeAddress; readonly account: BareJid },
  words: string,
): Promise<void> {
  if ((await findBlocker(deps, address, account)) !== undefined) throw new AppError('forbidden', words)
}
