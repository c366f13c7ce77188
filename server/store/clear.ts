import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { IndexDb } from './database.ts'

/** Tables with references first: no deleted row takes more with it than a slice. */
const TABLES = [
  ...(['participant', 'original', 'reaction', 'publicSubscription', 'tombstone', 'person', 'knownName'] as const),
  ...(['tag', 'entry', 'node'] as const),
]
const SLICE = 500

/** Empties the index, in slices. */
export async function clearIndex(index: IndexDb): Promise<void> {
  const pause = createSlices()
  for (const table of TABLES) {
    let deleted = 0n
    do {
      const slice = sql`${sql.ref('rowid')} IN (SELECT rowid FROM ${sql.table(table)} LIMIT ${SLICE})`
      deleted = (await index.deleteFrom(table).where(sql<boolean>`${slice}`).executeTakeFirst()).numDeletedRows
      await pause()
    } while (deleted > 0n)
  }
}
