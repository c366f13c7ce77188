import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '#server/errors.ts'
import { listFeedNodes, type NodeRow } from '#server/store/node.ts'
import { addKnownPerson, deletePerson, findPersonName, savePerson } from '#server/store/person.ts'
import { listStale, markRead } from '#server/store/stale-entry.ts'
import { readFeedMetadata } from '#shared/feed-metadata.ts'
import { isBlank } from '#shared/invisible.ts'
import { parseXml } from '#shared/xml.ts'
import type { IngestDeps } from './ingest.ts'
import { describeNode } from './metadata.ts'
import { READER } from './reader.ts'
import { remakeNewest } from './remake.ts'

export interface Remaker {
  start(): void
  /** Resolves once everything is of this version. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** Entries that are looked up at once: about those of a slice. */
const AT_ONCE = 10
/** Milliseconds of work before everybody else gets as much time. */
const SLICE_MS = 10

/**
 * After a change of what is made of payloads, makes the index anew: the blogs' own words first, then the newest entries.
 * In slices, without the network; what is done stays done when the process ends in between.
 */
export function createRemaker(deps: IngestDeps): Remaker {
  const stopping = new AbortController()
  const { signal } = stopping
  const letOthers = createPauses(signal)
  let work: Promise<void> = Promise.resolve()

  async function remakeAll(): Promise<void> {
    for (const node of await listFeedNodes(deps.index)) {
      if (signal.aborted) return
      await remakeFeed(deps, node).catch((error: unknown) => {
        deps.log.warn(`What ${node.address.service} says of itself could not be made anew: ${describeError(error)}`)
      })
      await letOthers()
    }
    let count = 0
    while (!signal.aborted) {
      const done = await remakeSome(deps)
      if (done === 0) break
      if (count === 0) deps.log.info('Entries of an older version are made anew; the site serves meanwhile')
      count += done
      await letOthers()
    }
    if (signal.aborted) return
    if (count > 0) deps.log.info(`${count} entries of an older version were made anew`)
  }

  return {
    start() {
      work = remakeAll().catch((error: unknown) => {
        if (!signal.aborted) deps.log.error(`Making entries anew failed: ${describeError(error)}`)
      })
    },
    idle: () => work,
    async stop() {
      stopping.abort()
      await work
    },
  }
}

/** Others get as much time as a slice has, whenever one is used up: no more where the machine was busy with something else. */
function createPauses(signal: AbortSignal): () => Promise<void> {
  let startedAt = performance.now()
  return async () => {
    if (performance.now() - startedAt < SLICE_MS) return
    await sleep(SLICE_MS, undefined, { signal }).catch(() => {})
    startedAt = performance.now()
  }
}

/** As many as a slice has time for, or the first alone where one of them cannot be made. Returns how many. */
async function remakeSome(deps: IngestDeps): Promise<number> {
  const until = performance.now() + SLICE_MS
  return remakeNewest(deps, { limit: AT_ONCE, until }).catch(() => remakeFirst(deps))
}

async function remakeFirst(deps: IngestDeps): Promise<number> {
  try {
    return await remakeNewest(deps, { limit: 1, until: 0 })
  } catch (error) {
    const [first] = await listStale(deps.index, { reader: READER, limit: 1 })
    if (first === undefined) return 0
    deps.log.warn(`Entry ${first.entry.id} could not be made anew: ${describeError(error)}`)
    await markRead(deps.index, first.entry.id, READER)
    return 1
  }
}

/** A blog's title, its description and the name of its owner. */
async function remakeFeed({ index }: IngestDeps, node: NodeRow): Promise<void> {
  const payload = node.metadataPayload === undefined ? undefined : parseXml(node.metadataPayload)
  const metadata = payload && readFeedMetadata(payload)
  if (metadata !== undefined) await describeNode(index, node, metadata)
  if (node.kind !== 'blog' || node.owner === undefined) return
  const { owner } = node
  const name = metadata?.author.name
  // Without a date nobody knows whether they were called otherwise since.
  if (name !== undefined && metadata?.updated !== undefined) {
    await savePerson(index, { jid: owner, name, namedAt: metadata.updated })
  }
  const known = await findPersonName(index, owner)
  if (known !== undefined && isBlank(known)) await deletePerson(index, owner, known)
  await addKnownPerson(index, owner)
}
