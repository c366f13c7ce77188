import { after, before, describe, it } from 'node:test'
import { type Rig, startRig } from '../support/rig.ts'
import { createActs } from './acts.ts'
import { expectAgreement, watchAuthors } from './agreement.ts'
import { createRandom, listSeeds, type Random } from './seeds.ts'
import { createWorld, type World } from './world.ts'

/** Acts before, during and after the fault: about so many of each. */
const ACTS = 12

interface Fault {
  readonly name: string
  readonly begin: (world: World, random: Random) => Promise<unknown>
  readonly end: (world: World) => Promise<unknown>
}

const FAULTS: readonly Fault[] = [
  ...(['ejabberd', 'prosody'] as const).flatMap((name): Fault[] => [
    { name: `${name} restarted`, begin: async ({ rig }) => rig[name].stop(), end: ({ rig }) => rig[name].start() },
    { name: `${name} killed`, begin: async ({ rig }) => rig[name].kill(), end: ({ rig }) => rig[name].start() },
  ]),
  {
    name: 'the link between the servers cut and healed',
    begin: async ({ rig }, random) => (random.next() < 0.5 ? rig.link.pause() : rig.link.cut()),
    end: async ({ rig }) => rig.link.resume(),
  },
]

describe('after a fault of a server nodes, index and outbox agree:', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig({ link: true })
  })
  after(() => rig?.stop())

  for (const seed of listSeeds()) {
    for (const fault of FAULTS) {
      it(`${fault.name} (seed ${seed})`, async () => {
        const random = createRandom(seed)
        await using world = await createWorld(rig)
        // Accounts and nodes are on the disk: what comes next a killed server may lose.
        if (fault.name === 'ejabberd killed') await rig.ejabberd.restart()
        using watch = watchAuthors(world)
        const acts = createActs(world, random)
        const some = async () => {
          for (let left = random.whole(ACTS) + ACTS / 2; left > 0; left--) await acts.act()
        }
        await some()
        await fault.begin(world, random)
        await some()
        await fault.end(world)
        await some()
        await expectAgreement(world, acts, !fault.name.startsWith('ejabberd'))
        watch.check()
      })
    }
  }
})
