import { createSlices } from '#server/slices.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { addMarkedWords, type Contributed, listContributed, listKeptCopies } from '#server/store/marked-words.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import { parseXml } from '#shared/xml.ts'
import { digestWords } from './digest-words.ts'
import { hasOldMark, type Marking } from './mark.ts'

/** Setting in the state, present once the words under old marks are recorded. */
export const RECORDED = 'old-marks-recorded'
const AT_ONCE = 200

interface Deps extends Marking {
  readonly index: IndexDb
  readonly state: StateDb
  readonly clock: () => Date
}

/**
 * Records, once, the words of comments that an older Canto published with a mark that does not bind them: as the index and
 * the kept copies of moderators have them. Must end before anything is read from the network, or a service that changed the
 * words meanwhile would have its own recorded. In slices.
 */
export async function recordOldMarks(deps: Deps): Promise<void> {
  const { index, state, clock } = deps
  if ((await findSetting(state, RECORDED)) !== undefined) return
  const pause = createSlices()
  for (const list of [listContributed(index, AT_ONCE), listKeptCopies(state, AT_ONCE)]) {
    for await (const comments of list) {
      // In one transaction: each is a wait for the disk.
      await state.transaction().execute(async (transaction) => {
        for (const comment of comments) await record({ ...deps, state: transaction }, comment)
      })
      await pause()
    }
  }
  await saveSetting(state, RECORDED, clock().toISOString())
}

async function record({ state, secret }: Deps, { address, payload }: Contributed): Promise<void> {
  const entry = parseXml(payload)
  if (entry === undefined || !hasOldMark({ secret }, address, entry)) return
  await addMarkedWords(state, { address, digest: digestWords(entry) })
}
