import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { forgetOwnAccess } from './own-access.ts'

/** Whether somebody lets everybody know what they follow. */
export async function publishesFollows(state: StateDb, jid: BareJid): Promise<boolean> {
  const row = await state.selectFrom('reader').select('publishesFollows').where('jid', '=', jid).executeTakeFirst()
  return row?.publishesFollows === 1
}

export async function savePublishesFollows(state: StateDb, jid: BareJid, isPublic: boolean): Promise<void> {
  const publishesFollows = Number(isPublic)
  await state
    .insertInto('reader')
    .values({ jid, publishesFollows })
    .onConflict((conflict) => conflict.column('jid').doUpdateSet({ publishesFollows }))
    .execute()
}

/** Until when what arrived counts as read by somebody. */
export async function findReadUntil(state: StateDb, jid: BareJid): Promise<Date | undefined> {
  const row = await state.selectFrom('reader').select('readUntil').where('jid', '=', jid).executeTakeFirst()
  return row?.readUntil == null ? undefined : new Date(row.readUntil)
}

/** Never back to an earlier time. */
export async function raiseReadUntil(state: StateDb, jid: BareJid, until: Date): Promise<void> {
  const readUntil = until.toISOString()
  await state
    .insertInto('reader')
    .values({ jid, readUntil })
    .onConflict((conflict) =>
      conflict
        .column('jid')
        .doUpdateSet({ readUntil })
        .where((is) => is.or([is('reader.readUntil', 'is', null), is('reader.readUntil', '<', readUntil)])),
    )
    .execute()
}

/** The counter that goes into the secret of somebody's feed addresses, if they have asked for one. */
export async function findFeedCounter(state: StateDb, jid: BareJid): Promise<number | undefined> {
  const row = await state.selectFrom('reader').select('feedCounter').where('jid', '=', jid).executeTakeFirst()
  return row?.feedCounter ?? undefined
}

/** In place of the one before: its address, and one that was known before addresses were derived, lead nowhere. */
export async function saveFeedCounter(state: StateDb, jid: BareJid, feedCounter: number): Promise<void> {
  const knownFeedHash = null
  await state
    .insertInto('reader')
    .values({ jid, feedCounter })
    .onConflict((conflict) => conflict.column('jid').doUpdateSet({ feedCounter, knownFeedHash }))
    .execute()
}

/** The owner of a feed secret from before derivation, by its hash. */
export async function findReaderByKnownFeed(state: StateDb, knownFeedHash: string): Promise<BareJid | undefined> {
  const query = state.selectFrom('reader').select('jid').where('knownFeedHash', '=', knownFeedHash)
  return (await query.executeTakeFirst())?.jid
}

/** Somebody whose account is no more: what they followed, read and were told, and the address of their feeds. */
export async function forgetReader(state: StateDb, jid: BareJid): Promise<void> {
  await state.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('follow').where('follower', '=', jid).execute()
    await transaction.deleteFrom('readMark').where('reader', '=', jid).execute()
    await transaction.deleteFrom('reader').where('jid', '=', jid).execute()
    await transaction.deleteFrom('notification').where('jid', '=', jid).execute()
    await transaction.deleteFrom('threadWish').where('jid', '=', jid).execute()
    await forgetOwnAccess(transaction, jid)
  })
}
