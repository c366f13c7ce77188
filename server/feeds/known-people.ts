import { createSlices } from '#server/slices.ts'
import { findAccount, listAccountNames } from '#server/store/account.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { saveKnownName } from '#server/store/known-name.ts'
import { addKnownPerson } from '#server/store/person.ts'
import type { BareJid } from '#shared/jid.ts'
import type { OutboxDeps } from './outbox-deps.ts'

export interface KnownPeopleDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly siteDomain: BareJid
  readonly config: Pick<OutboxDeps['config'], 'title' | 'url'>
  /** Aborted when the process ends: what is left is done at the next start. */
  readonly signal?: AbortSignal
}

/** Makes the index know the names that others may not bear unmarked: that of the site, and those of its accounts. In slices. */
export async function knowPeople({ index, state, siteDomain, config, signal }: KnownPeopleDeps): Promise<void> {
  const pause = createSlices()
  if (config.title !== undefined) await saveKnownName(index, siteDomain, config.title)
  for await (const accounts of listAccountNames(state)) {
    for (const { jid, name } of accounts) {
      if (signal?.aborted) return
      await addKnownPerson(index, jid, name)
      await pause()
    }
  }
}

/** The same for one account, when it signs in. */
export async function knowPerson(
  { index, state }: Pick<KnownPeopleDeps, 'index' | 'state'>,
  jid: BareJid,
): Promise<void> {
  await addKnownPerson(index, jid, (await findAccount(state, jid))?.name)
}
