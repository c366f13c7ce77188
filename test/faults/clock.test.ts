import { after, before, describe, it } from 'node:test'
import { type Rig, startRig } from '../support/rig.ts'
import { createActs } from './acts.ts'
import { expectAgreement, watchAuthors } from './agreement.ts'
import { createRandom, listSeeds } from './seeds.ts'
import { createWorld } from './world.ts'

const ACTS = 10
const DAY = 24 * 3_600_000

describe('after a step of the clock nodes, index and outbox agree:', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig()
  })
  after(() => rig?.stop())

  for (const seed of listSeeds()) {
    for (const [name, steps] of [
      ['a day ahead', [DAY]],
      ['a day back', [-DAY]],
      ['to and fro', [DAY, -2 * DAY, DAY]],
    ] as const) {
      it(`${name} (seed ${seed})`, async () => {
        const random = createRandom(seed)
        await using world = await createWorld(rig)
        using watch = watchAuthors(world)
        const acts = createActs(world, random)
        for (let left = ACTS; left > 0; left--) await acts.act()
        for (const step of steps) {
          world.stepClock(step)
          for (let left = ACTS; left > 0; left--) await acts.act()
        }
        await expectAgreement(world, acts)
        watch.check()
      })
    }
  }
})
