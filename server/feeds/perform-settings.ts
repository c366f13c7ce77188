import { isAppError } from '#server/errors.ts'
import { saveAccountName } from '#server/store/account.ts'
import { findAuthor } from '#server/store/author.ts'
import { readFeedMetadata, writeFeedMetadata } from '#shared/feed-metadata.ts'
import { isWithinBounds } from '#shared/xml.ts'
import { blogOf } from './indexing.ts'
import { knowPerson } from './known-people.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { prepare } from './prepare.ts'
import { publish } from './publish.ts'
import { showPublished } from './show.ts'
import type { SettingsTask } from './task.ts'

/** Puts a person's name, and an author's title and description, where XMPP clients look for them. */
export async function performSettings(deps: OutboxDeps, performance: Performance<SettingsTask>): Promise<void> {
  const { session, row, task, begin } = performance
  await begin()
  if (task.name !== '') await unlessImpossible(session.setNickname(task.name))
  await saveAccountName(deps.state, row.account, task.name)
  await knowPerson(deps, row.account)
  if ((await findAuthor(deps.state, row.account)) === undefined) return
  await prepare(deps, session)
  await publishMetadata(deps, performance)
  // The same for clients that read the node and not its item 0.
  const { title, description } = task
  await unlessImpossible(session.pubsub.configureNode(blogOf(row.account), { title, description }))
}

async function publishMetadata(deps: OutboxDeps, { session, row, task }: Performance<SettingsTask>): Promise<void> {
  const found = await session.pubsub.findItem(row.address)
  const original = found?.payload !== undefined && isWithinBounds(found.payload) ? found.payload : undefined
  const theirs = original === undefined ? undefined : readFeedMetadata(original)?.updated
  const isNewer = theirs !== undefined && theirs >= new Date(task.updated) && theirs <= deps.clock()
  const payload =
    isNewer && original !== undefined
      ? original
      : writeFeedMetadata({
          address: blogOf(row.account),
          title: task.title,
          description: task.description,
          author: { jid: row.account, name: task.name },
          language: task.language,
          updated: new Date(task.updated),
          original,
        })
  if (payload !== original) await publish({ session, row }, payload)
  const item = { id: row.address.item, payload, publisher: row.account }
  await showPublished(deps, { session, row, address: row.address }, item)
}

async function unlessImpossible(request: Promise<unknown>): Promise<void> {
  try {
    await request
  } catch (error) {
    if (!isAppError(error, 'forbidden', 'not-implemented', 'bad-request')) throw error
  }
}
