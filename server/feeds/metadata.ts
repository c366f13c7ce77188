import { type NodeRow, updateNode } from '#server/store/node.ts'
import { savePerson } from '#server/store/person.ts'
import type { IngestDeps, IngestOutcome } from './ingest.ts'
import type { ReadMetadataItem } from './read-item.ts'

/** Takes a blog's title and description from its item `0`, if its owner wrote it. */
export async function saveMetadata(
  { index, clock }: IngestDeps,
  node: NodeRow,
  { metadata, publisher, payload }: ReadMetadataItem,
): Promise<IngestOutcome> {
  if (publisher !== undefined && publisher !== node.owner) return 'ignored'
  if (payload === node.metadataPayload) return 'unchanged'
  const { title = null, description = null, language = null } = metadata
  await updateNode(index, node.address, { title, description, language, metadataPayload: payload })
  const name = metadata.author.name
  if (node.owner !== undefined && name !== undefined) {
    await savePerson(index, { jid: node.owner, name, namedAt: metadata.updated ?? clock() })
  }
  return 'stored'
}
