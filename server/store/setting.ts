import type { StateDb } from './database.ts'

export async function findSetting(state: StateDb, key: string): Promise<string | undefined> {
  const row = await state.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

export async function saveSetting(state: StateDb, key: string, value: string): Promise<void> {
  await state
    .insertInto('setting')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}
