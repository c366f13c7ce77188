import type { IndexDb } from './database.ts'

/** Empties the index. */
export async function clearIndex(index: IndexDb): Promise<void> {
  await index.transaction().execute(async (transaction) => {
    for (const table of ['publicSubscription', 'tombstone', 'person', 'tag', 'entry', 'node'] as const) {
      await transaction.deleteFrom(table).execute()
    }
  })
}
