import { finishNode } from '#server/store/finish-node.ts'
import { findNode } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { dropLeftThread } from './empty-node.ts'
import type { Inbox } from './inbox.ts'
import type { IngestDeps } from './ingest.ts'
import { clearEntries } from './remove.ts'

/** Finishes what was going on with nodes when the former process ended. Nothing of these is ingested before that. */
export async function resumeEmptying(
  deps: IngestDeps & { readonly inbox: Pick<Inbox, 'run'> },
  nodes: readonly NodeAddress[],
): Promise<void> {
  const resume = async (address: NodeAddress) => {
    const node = await findNode(deps.index, address)
    if (node?.emptying === undefined) return
    if (node.emptying === 'holds') await finishNode(deps.index, node)
    else if (node.emptying === 'left') await dropLeftThread(deps, address)
    else await clearEntries(deps, node, node.emptying)
  }
  await Promise.all(nodes.map((address) => deps.inbox.run(address, () => resume(address))))
}
