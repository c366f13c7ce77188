import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { followNode, unfollowNode } from '#server/feeds/follow.ts'
import { readList } from '#server/feeds/follow-list.ts'
import { createFollowing, type Following } from '#server/feeds/following.ts'
import { listFollows } from '#server/store/follow.ts'
import { listWaiting } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { base } from '#shared/profiles/index.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'

let rig: Rig
before(async () => {
  rig = await useRig({ own: true, servers: ['ejabberd'] })
})
after(() => rig.stop())

interface Canto extends AsyncDisposable {
  readonly ctx: RealContext
  readonly person: XmppSession
  readonly following: Following
}

interface Scene extends AsyncDisposable {
  readonly folder: TestFolder
  readonly users: { readonly site: string; readonly person: string }
  /** Communities of the server's service, in the order of their names. */
  readonly nodes: readonly NodeAddress[]
}

/** Accounts and nodes that the server has written to its disk: it was stopped in order after they were made. */
async function prepare(count: number): Promise<Scene> {
  const end = randomUUID().slice(0, 8)
  const users = { site: `site-${end}`, person: `person-${end}` }
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTestFolder())
  const nodes: NodeAddress[] = []
  {
    await using canto = await startCanto({ folder, users })
    const service = (await canto.person.readServices()).pubsub ?? assert.fail('ejabberd has no service')
    for (let n = 0; n < count; n++) {
      const address = { service, node: `${n}-${end}` }
      await canto.ctx.site.pubsub.createNode(address, base.config)
      nodes.push(address)
    }
  }
  await rig.ejabberd.restart()
  const owned = stack.move()
  return { folder, users, nodes, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function startCanto({ folder, users }: Pick<Scene, 'folder' | 'users'>): Promise<Canto> {
  await using stack = new AsyncDisposableStack()
  const ctx = stack.use(await createRealContext({ home: rig.ejabberd, siteUser: users.site, ...folder.databases }))
  const person = await ctx.signIn(rig.ejabberd, users.person)
  const following = createFollowing({ ...ctx, people: () => [person] })
  following.start()
  stack.defer(() => following.stop())
  await ctx.outbox.start()
  const owned = stack.move()
  return { ctx, person, following, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const settled = ({ ctx, person }: Canto) =>
  until(async () => (await listWaiting(ctx.state, person.jid)).length === 0, { what: 'an empty outbox' })

async function follow(canto: Canto, nodes: readonly NodeAddress[]): Promise<void> {
  for (const address of nodes) await followNode(canto.ctx, canto.person.jid, { address })
}

const namesOf = (all: readonly { readonly address: NodeAddress }[]) => all.map(({ address }) => address.node).sort()

/** What state, list and server say that the person follows. */
async function followedBy({ ctx, person }: Canto, { service }: NodeAddress) {
  const list = await readList(person.pubsub, { service: person.jid, node: NS.PRIVATE_SUBSCRIPTION_LIST })
  const subscriptions = await person.pubsub.listSubscriptions(service)
  return {
    state: namesOf(await listFollows(ctx.state, person.jid)),
    list: namesOf(list?.items ?? []),
    server: namesOf(subscriptions.filter(({ state }) => state === 'subscribed')),
  }
}

/** Until all of them say the same, and still do once the list has been read again. */
async function agree(canto: Canto, nodes: readonly NodeAddress[]): Promise<void> {
  const wanted = nodes.map(({ node }) => node)
  const [first = assert.fail('no node')] = nodes
  const check = async () => {
    assert.deepEqual(await followedBy(canto, first), { state: wanted, list: wanted, server: wanted })
    return true
  }
  await until(check, { what: 'state, list and server to agree', timeout: 30_000 })
  await canto.following.merge(canto.person)
  await settled(canto)
  await check()
}

async function killServer(): Promise<void> {
  await rig.ejabberd.kill()
  await rig.ejabberd.start()
}

describe('A server that is killed just after it acknowledged', () => {
  it('the first of what somebody follows, and follows no longer, loses none of it', async () => {
    await using scene = await prepare(5)
    const { nodes } = scene
    await using canto = await startCanto(scene)
    await follow(canto, nodes)
    await settled(canto)
    await unfollowNode(canto.ctx, canto.person.jid, nodes[1] as NodeAddress)
    await settled(canto)
    await killServer()
    await agree(canto, nodes.toSpliced(1, 1))
    await unfollowNode(canto.ctx, canto.person.jid, nodes[0] as NodeAddress)
    await settled(canto)
    await agree(canto, nodes.slice(2))
    await follow(canto, nodes.slice(1, 2))
    await settled(canto)
    await agree(canto, nodes.slice(1))
  })

  it('changes of a list that had been there for long, loses none of them', async () => {
    await using scene = await prepare(6)
    const { nodes } = scene
    await using canto = await startCanto(scene)
    await follow(canto, nodes.slice(0, 4))
    await settled(canto)
    await rig.ejabberd.restart()
    await agree(canto, nodes.slice(0, 4))
    await unfollowNode(canto.ctx, canto.person.jid, nodes[0] as NodeAddress)
    await follow(canto, nodes.slice(4))
    await settled(canto)
    await killServer()
    await agree(canto, nodes.slice(1))
  })

  it('loses none of it either where Canto had to start again with it', async () => {
    await using scene = await prepare(5)
    const { nodes } = scene
    {
      await using canto = await startCanto(scene)
      await follow(canto, nodes)
      await settled(canto)
      await unfollowNode(canto.ctx, canto.person.jid, nodes[1] as NodeAddress)
      await settled(canto)
      await rig.ejabberd.kill()
    }
    await rig.ejabberd.start()
    await using canto = await startCanto(scene)
    await agree(canto, nodes.toSpliced(1, 1))
  })
})
