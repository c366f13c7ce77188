import { describeError } from './errors.ts'
import { describeManyLost, findManyLost } from './feeds/lose-node.ts'
import type { Health } from './http/context.ts'
import type { IndexDb, StateDb } from './store/database.ts'
import { countFeedProblems } from './store/node.ts'
import { countOutbox, isPublication } from './store/outbox.ts'
import type { XmppSession } from './xmpp/ports.ts'

export interface HealthSources {
  readonly index: IndexDb
  readonly state: StateDb
  readonly site: XmppSession
  readonly clock: () => Date
}

/** What waits longer than this in the outbox of people who are signed in deserves a look. */
const LONG_MS = 3_600_000

/** Looks at the databases and the site account. Once it was online, a server that is away makes nothing unready. */
export function createHealthCheck({ index, state, site, clock }: HealthSources): () => Promise<Health> {
  let wasOnline = site.status === 'online'
  site.onStatus((status) => {
    wasOnline ||= status === 'online'
  })
  return async () => {
    const problems: string[] = []
    const isReadable = await look(problems, async () => {
      const unread = await countFeedProblems(index)
      if (unread > 0) problems.push(`${unread} blogs or communities cannot be read as they should`)
      const lost = await findManyLost(state, clock())
      if (lost !== undefined) problems.push(`The index is kept as it is: ${describeManyLost(lost)}`)
      const late = (await countOutbox(state)).find(
        ({ kind, status, oldest }) =>
          status === 'waiting' && isPublication({ kind }) && clock().getTime() - oldest.getTime() > LONG_MS,
      )
      if (late !== undefined) problems.push(`Something waits to be published since ${late.oldest.toISOString()}`)
    })
    const isOnline = site.status === 'online'
    if (!isOnline) problems.push(`${site.jid} is not online: ${site.problem?.message ?? 'it is connecting'}`)
    return { isReady: isReadable && wasOnline, xmpp: isOnline ? 'online' : 'offline', problems }
  }
}

async function look(problems: string[], read: () => Promise<void>): Promise<boolean> {
  try {
    await read()
    return true
  } catch (error) {
    problems.push(`The databases cannot be read: ${describeError(error)}`)
    return false
  }
}
