import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

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

/** The secret in the address of somebody's feeds, if they have asked for one. */
export async function findFeedSecret(state: StateDb, jid: BareJid): Promise<string | undefined> {
  const row = await state.selectFrom('reader').select('feedSecret').where('jid', '=', jid).executeTakeFirst()
  return row?.feedSecret ?? undefined
}

/** In place of the one before, which leads nowhere from now on. */
export async function saveFeedSecret(state: StateDb, jid: BareJid, feedSecret: string): Promise<void> {
  await state
    .insertInto('reader')
    .values({ jid, feedSecret })
    .onConflict((conflict) => conflict.column('jid').doUpdateSet({ feedSecret }))
    .execute()
}

/** Whose feeds these are. */
export async function findReaderBySecret(state: StateDb, feedSecret: string): Promise<BareJid | undefined> {
  const query = state.selectFrom('reader').select('jid').where('feedSecret', '=', feedSecret)
  return (await query.executeTakeFirst())?.jid
}

/** Somebody whose account is no more: what they followed, read and were told, and the secret of their feeds. */
export async function forgetReader(state: StateDb, jid: BareJid): Promise<void> {
  await state.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('follow').where('follower', '=', jid).execute()
    await transaction.deleteFrom('readMark').where('reader', '=', jid).execute()
    await transaction.deleteFrom('reader').where('jid', '=', jid).execute()
    await transaction.deleteFrom('notification').where('jid', '=', jid).execute()
    await transaction.deleteFrom('threadWish').where('jid', '=', jid).execute()
  })
}
