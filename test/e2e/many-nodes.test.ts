import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addFollow } from '#server/store/follow.ts'
import type { Pubsub } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { entryOf, itemOf } from '../feeds/fixtures.ts'
import { type AskedRequest, aroundPubsub, recorded } from '../support/around-pubsub.ts'
import { createTestContext, jidOf, type TestContext } from '../support/context.ts'
import { createRealContext, type RealContext } from '../support/real-context.ts'
import { type Rig, startRig } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'

/** Half of them on each server; more in `npm run faults`. */
const NODES = Number(process.env.CANTO_TEST_NODES ?? 200)
const FEW = 5

describe(`${NODES} followed nodes on two servers with one of them down`, () => {
  it('are read on the living server while the other answers nothing at all', async () => {
    await using ctx = await createTestContext()
    // The dead one comes first in every list.
    const [living, dead] = [jidOf('pubsub.living.example'), jidOf('pubsub.dead.example')]
    const owner = ctx.network.pubsubOf(jidOf('owner@living.example'))
    const nodes = nameNodes(dead, living)
    for (const address of nodes) await makeNode(owner, ctx, address)
    // No time passes here: whoever waited for the dead one would wait for ever.
    const { promise: revival, resolve: revive } = Promise.withResolvers<void>()
    const asked = { dead: 0 }
    const patient = aroundPubsub(ctx.site, async (service, ask) => {
      if (service === dead) {
        asked.dead++
        await revival
      }
      return ask()
    })
    Object.defineProperty(ctx.site, 'pubsub', { value: patient.pubsub })
    await ctx.indexing.start()
    await until(async () => (await countRead(ctx, living)) === NODES / 2, { what: 'the living server to be read' })
    assert.equal(await countRead(ctx, dead), 0)
    assert.ok(asked.dead <= FEW, `the dead one was asked ${asked.dead} times`)
    const item = itemOf(nodes[1] as NodeAddress, 'news')
    await owner.publishItem(item, entryOf())
    await until(async () =>
      (await ctx.index.selectFrom('entry').selectAll().execute()).some((row) => row.item === item.item),
    )
    revive()
    await until(async () => (await countRead(ctx, dead)) === NODES / 2, { what: 'the other, once it answers' })
  })

  describe('of the real kind', () => {
    let rig: Rig
    before(async () => {
      rig = await startRig({ link: true })
    })
    after(() => rig?.stop())

    it('are read on the living server while the link to the other is dead', async () => {
      const end = randomUUID().slice(0, 8)
      for (const server of [rig.ejabberd, rig.prosody]) await server.register('admin', 'password of admin')
      await using ejabberd = openTestSession(rig.ejabberd, 'admin')
      await using prosody = openTestSession(rig.prosody, 'admin')
      for (const session of [ejabberd, prosody]) await session.whenOnline(30_000)
      const [living, dead] = [jidOf('pubsub.prosody.test'), jidOf('pubsub.ejabberd.test')]
      const requests: AskedRequest[] = []
      await using ctx = await createRealContext({
        home: rig.prosody,
        siteUser: `site-${end}`,
        through: (site) => recorded(site, requests),
      })
      for (const address of nameNodes(dead, living)) {
        await makeNode((address.service === living ? prosody : ejabberd).pubsub, ctx, address)
      }
      // Up to now the servers talk to each other; from now on one waits for the other in vain.
      await ctx.site.disco.readInfo(rig.ejabberd.domain)
      rig.link.freeze()
      const begun = performance.now()
      await ctx.indexing.start()
      await until(async () => (await countRead(ctx, living)) === NODES / 2, {
        what: 'the living server',
        timeout: 120_000,
      })
      console.log(`# ${NODES / 2} nodes of the living server were read in ${Math.round(performance.now() - begun)} ms`)
      expectIndependence(requests, { living, dead })
      rig.link.thaw()
      rig.link.cut()
      await until(async () => (await countRead(ctx, dead)) === NODES / 2, { what: 'the other', timeout: 120_000 })
      console.log(`# and those of the other ${Math.round(performance.now() - begun)} ms after the beginning`)
    })
  })
})

/** While the dead one was waited for, whatever was left to do at the living one was done. */
function expectIndependence(
  requests: readonly AskedRequest[],
  { living, dead }: { living: BareJid; dead: BareJid },
): void {
  const alive = requests.filter(({ service }) => service === living)
  const lost = requests.filter(({ service }) => domainOf(service) === dead)
  assert.ok(lost.length > 0 && lost.length <= FEW, `the dead one was asked ${lost.length} times`)
  for (const waited of lost) {
    const until = waited.to ?? Number.POSITIVE_INFINITY
    const left = alive.filter(({ from }) => from >= waited.from)
    const meanwhile = left.filter(({ to }) => to !== undefined && to <= until)
    const wanted = Math.min(left.length, FEW)
    assert.ok(meanwhile.length >= wanted, `only ${meanwhile.length} of ${left.length} were done meanwhile`)
  }
}

function nameNodes(...services: readonly BareJid[]): NodeAddress[] {
  return Array.from({ length: NODES }, (_, i) => {
    const service = services[i % services.length] as BareJid
    return { service, node: `node-${i}` }
  })
}

async function makeNode(owner: Pubsub, ctx: TestContext | RealContext, address: NodeAddress): Promise<void> {
  await owner.createNode(address, BASE_CONFIG)
  await owner.publishItem(itemOf(address, 'first'), entryOf({ title: address.node }))
  await addFollow(ctx.state, { follower: '', address, since: ctx.clock() })
}

async function countRead({ index }: { index: TestContext['index'] }, service: BareJid): Promise<number> {
  const rows = await index
    .selectFrom('node')
    .select('id')
    .where('service', '=', service)
    .where('isWaiting', '=', 0)
    .where('subscription', '=', 'subscribed')
    .execute()
  return rows.length
}
