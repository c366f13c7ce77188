import type { IndexDb } from './database.ts'

const TABLES = [
  ...(['participant', 'original', 'reaction', 'publicSubscription', 'tombstone', 'person', 'knownName'] as const),
  ...(['tag', 'entry', 'node'] as const),
]

/** Empties the index. */
export async function clearIndex(index: IndexDb): Promise<void> {
  await index.transaction().execute(async (transaction) => {
    for (const table of TABLES) {
      await transaction.deleteFrom(table).execute()
    }
  })
}
