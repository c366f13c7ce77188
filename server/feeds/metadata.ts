import { type NodeRow, updateNode } from '#server/store/node.ts'
import { savePerson } from '#server/store/person.ts'
import type { FeedMetadata } from '#shared/feed-metadata.ts'
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
  await updateNode(index, node.address, { metadataPayload: payload })
  await describeNode(index, node, metadata)
  const name = metadata.author.name
  if (node.owner !== undefined && name !== undefined) {
    await savePerson(index, { jid: node.owner, name, namedAt: metadata.updated ?? clock() })
  }
  return 'stored'
}

/** Saves the title, description and language that a blog gives itself, as its pages show them. */
export async function describeNode(
  index: IngestDeps['index'],
  { address }: NodeRow,
  metadata: FeedMetadata,
): Promise<void> {
  const { title = null, description = null, language = null } = metadata
  await updateNode(index, address, { title, description, language })
}
