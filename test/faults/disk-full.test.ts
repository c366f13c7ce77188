import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { isAppError } from '#server/errors.ts'
import { type Rig, startRig } from '../support/rig.ts'
import { createActs } from './acts.ts'
import { expectAgreement, watchAuthors } from './agreement.ts'
import { createRandom, listSeeds } from './seeds.ts'
import { createWorld } from './world.ts'

const ACTS = 15
/** What is left of the last pages takes no more than so many. */
const MOST_ACTS = 200

/** Lets a database grow no more: what the disk would do, done to one file. Returns the way to make room. */
async function fill<Schema>(db: Kysely<Schema>): Promise<() => Promise<void>> {
  // It cannot be set below what is used, and then is that.
  const limit = (pages: number) => sql`PRAGMA max_page_count = ${sql.raw(String(pages))}`.execute(db)
  await limit(1)
  return async () => void (await limit(2 ** 30))
}

describe('after a full disk nodes, index and outbox agree:', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig()
  })
  after(() => rig?.stop())

  for (const seed of listSeeds()) {
    for (const name of ['state', 'index'] as const) {
      it(`no room for the ${name} (seed ${seed})`, async () => {
        const random = createRandom(seed)
        await using world = await createWorld(rig)
        const { ctx } = world
        using watch = watchAuthors(world)
        const acts = createActs(world, random)
        for (let left = ACTS; left > 0; left--) await acts.act()
        const makeRoom = name === 'state' ? await fill(ctx.state) : await fill(ctx.index)
        let refused = 0
        const isNoticed = () => refused > 0 || ctx.lines.some((line) => line.includes('no room left'))
        for (let left = 2 * ACTS; left > 0 || !isNoticed(); left--) {
          assert.ok(left > -MOST_ACTS, 'there was room for all that')
          // Told, and therefore not promised.
          await acts.act().catch((error: unknown) => {
            assert.ok(isAppError(error, 'no-room'), String(error))
            refused++
          })
        }
        await makeRoom()
        for (let left = ACTS; left > 0; left--) await acts.act()
        console.log(`# ${refused} acts were refused while there was no room for the ${name}`)
        await expectAgreement(world, acts)
        watch.check()
      })
    }
  }
})
