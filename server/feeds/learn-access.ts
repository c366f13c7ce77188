import { findAuthor, saveConsent } from '#server/store/author.ts'
import { findNode } from '#server/store/node.ts'
import { findOwnAccess, saveOwnAccess, type Word } from '#server/store/own-access.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type AccessDeps, applyAccess, readAccess } from './access.ts'
import type { IngestDeps } from './ingest.ts'

export interface LearnDeps extends Pick<IngestDeps, 'index' | 'live'>, AccessDeps {
  readonly indexing?: { watch(address: NodeAddress): void }
}

/** Saves the access that the session of an account, or its server, says of a node on it, and shows the node so. */
export async function learnOwnAccess(deps: LearnDeps, address: NodeAddress, word: Word): Promise<void> {
  const former = await findOwnAccess(deps.state, address)
  await saveOwnAccess(deps.state, address, word)
  const node = await findNode(deps.index, address)
  if (node === undefined) return
  const isOpen = word.accessModel === 'open'
  await applyAccess(deps, node, await readAccess(deps, node))
  if (former?.accessModel !== word.accessModel || (isOpen && node.status !== 'open')) deps.indexing?.watch(address)
  if (isOpen && (await findAuthor(deps.state, address.service))?.consent === 'asked') {
    await saveConsent(deps.state, address.service, { consent: 'unasked' })
  }
}
