import type { IndexDb } from '#server/store/database.ts'
import { findNode } from '#server/store/node.ts'
import type { NotificationRow } from '#server/store/notification.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Permits } from '../permits.ts'

export interface ReadableDeps {
  readonly index: IndexDb
  readonly permits?: Pick<Permits, 'has'>
}

/** Whether somebody may be told of content on all of these nodes; a node that the index lacks forbids nothing. */
export async function mayBeTold(
  { index, permits }: ReadableDeps,
  jid: BareJid,
  nodes: readonly NodeAddress[],
): Promise<boolean> {
  for (const { service, node } of nodes) {
    const status = (await findNode(index, { service, node }))?.status
    if (status === 'hidden' || status === 'closed') return false
    if (status === 'restricted' && jid !== service && permits?.has(jid, { service, node }) !== true) return false
  }
  return true
}

type Row = Pick<NotificationRow, 'jid' | 'service' | 'node' | 'postService' | 'postNode'>

/** Without those about what this person may not read now. */
export async function chooseReadable<R extends Row>(deps: ReadableDeps, rows: readonly R[]): Promise<R[]> {
  const known = new Map<string, boolean>()
  const isReadable = async (jid: BareJid, address: NodeAddress) => {
    const key = addressKey(address)
    const found = known.get(key) ?? (await mayBeTold(deps, jid, [address]))
    known.set(key, found)
    return found
  }
  const chosen: R[] = []
  for (const row of rows) {
    const { jid, service, node, postService, postNode } = row
    if (!(await isReadable(jid, { service, node }))) continue
    if (postService !== null && postNode !== null) {
      if (!(await isReadable(jid, { service: postService, node: postNode }))) continue
    }
    chosen.push(row)
  }
  return chosen
}
