import assert from 'node:assert/strict'
import { queueComment, queueDelete, queuePost } from '#server/feeds/queue.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import type { Rig } from '../support/rig.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import type { Promised, PromisedComment } from './acts.ts'
import { expectAgreement } from './agreement.ts'
import { createWorld, type World } from './world.ts'

/** Cuts a connection in place of the nth piece that passes in a direction from when it is armed. */
interface Trap {
  readonly proxy: TcpProxy
  arm(direction: 'up' | 'down', step: number): void
  /** Whether it has cut; it does no more until armed again. */
  disarm(): boolean
}

async function setTrap(port: number): Promise<Trap> {
  let armed: { direction: 'up' | 'down'; left: number } | undefined
  let hasCut = false
  const proxy = await startProxy(port, (_, direction) => {
    if (armed?.direction !== direction || armed.left-- > 0) return true
    armed = undefined
    hasCut = true
    return false
  })
  return {
    proxy,
    arm(direction, left) {
      armed = { direction, left }
      hasCut = false
    },
    disarm() {
      armed = undefined
      return hasCut
    },
  }
}

const MINUTE = 60_000

/** Every stanza of an author's session is lost once, on its way up or down; what was promised must be so nevertheless. */
export async function loseStanzas(rig: Rig, name: 'juliet' | 'romeo'): Promise<void> {
  const traps = { juliet: await setTrap(rig.ejabberd.port), romeo: await setTrap(rig.prosody.port) }
  await using stack = new AsyncDisposableStack()
  for (const { proxy } of Object.values(traps)) stack.use(proxy)
  const serviceOf = ({ proxy }: Trap) => `xmpp://127.0.0.1:${proxy.port}`
  const by = { juliet: serviceOf(traps.juliet), romeo: serviceOf(traps.romeo) }
  await using world = await createWorld(rig, { by })
  const scene: Scene = { world, trap: traps[name], name, promised: [], comments: [] }
  const counts = []
  for (const direction of ['up', 'down'] as const) counts.push(await loseEach(scene, direction))
  console.log(`# ${counts.join(' and ')} stanzas were lost, up and down`)
  await expectAgreement(world, scene)
}

const draftOf = (title: string) => ({
  ...{ title, text: `Text of ${title}`, tags: [], language: 'en', summary: '', comments: true },
})

interface Scene {
  readonly world: World
  readonly trap: Trap
  readonly name: 'juliet' | 'romeo'
  readonly promised: Promised[]
  readonly comments: PromisedComment[]
}

/** A post, its change, a comment on it and its end: each again and again, until no stanza of it is left to lose. */
async function loseEach(scene: Scene, direction: 'up' | 'down'): Promise<number> {
  let total = 0
  for (const act of [post, edit, comment, remove]) {
    for (let step = 0; ; step++) {
      // What was acknowledged long ago is in no doubt, and not looked at again.
      scene.world.stepClock(MINUTE)
      await scene.world.renew(scene.name)
      const name = `${act.name} ${direction} ${step}`
      scene.trap.arm(direction, step)
      const row = await act(scene, name)
      const last = await scene.world.ctx.outbox.settle(row.id, 30_000)
      assert.equal(last.status, 'done', `${name}: ${last.problem}`)
      if (!scene.trap.disarm()) break
      total++
    }
  }
  return total
}

async function post({ world, name, promised }: Scene, title: string): Promise<OutboxRow> {
  const { ctx } = world
  const author = world[name].jid
  const row = await queuePost(ctx, { author, key: title, draft: draftOf(title) })
  promised.push({ address: row.address, author, title })
  return row
}

async function edit({ world, name, promised }: Scene, title: string): Promise<OutboxRow> {
  const post = promised.findLast((one) => one.title !== undefined)
  if (post === undefined) throw new Error('There is nothing to change')
  post.title = title
  const { ctx } = world
  const author = world[name].jid
  await until(async () => typeof (await findPost(ctx.index, post.address)) === 'object')
  return queuePost(ctx, { author, key: title, draft: draftOf(title), edits: post.address })
}

async function comment({ world, name, promised, comments }: Scene, text: string): Promise<OutboxRow> {
  const post = promised.findLast(({ title }) => title !== undefined)
  if (post === undefined) throw new Error('There is nothing to comment on')
  const { ctx } = world
  const row = await queueComment(ctx, { author: world[name].jid, key: text, post: post.address, text })
  comments.push({ post, address: row.address })
  return row
}

async function remove({ world, name, promised }: Scene): Promise<OutboxRow> {
  const post = promised.find(({ title }) => title !== undefined)
  if (post === undefined) throw new Error('There is nothing to remove')
  post.title = undefined
  return queueDelete(world.ctx, { author: world[name].jid, address: post.address })
}
