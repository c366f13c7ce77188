import assert from 'node:assert/strict'
import { blogOf } from '#server/feeds/blog-of.ts'
import type { IndexDb } from '#server/store/database.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { entryOf, itemOf } from '../feeds/fixtures.ts'
import { until } from '../support/until.ts'
import { type Acts, FORGED } from './acts.ts'
import { listDifferences } from './differences.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000
/** What was missed during an absence that was noticed is found out within a day, anything else within eleven. */
const [NOTICED, SILENT] = [25 * HOUR, 11 * 24 * HOUR]
const PATIENCE = 90_000

/** What was promised, and when nobody does anything any more. */
export type Outcome = Pick<Acts, 'promised' | 'comments'> & Partial<Pick<Acts, 'settle'>>

/**
 * After the fault: everything that was promised is done, and nodes, index and outbox agree. `isSilent` for one that
 * nobody told the site of: another server's events got lost, and its own session went on.
 */
export async function expectAgreement(world: World, acts: Outcome, isSilent = false): Promise<void> {
  const { ctx, juliet, romeo } = world
  await acts.settle?.()
  for (const session of [ctx.site, juliet, romeo]) await session.whenOnline(PATIENCE)
  await until(
    async () => {
      assert.deepEqual(await listWaiting(world), [])
      return true
    },
    { what: 'the outbox to be empty', timeout: PATIENCE },
  )
  await ctx.indexing.idle()
  const early = await listDifferences(ctx)
  world.stepClock(NOTICED)
  if (isSilent) {
    await ctx.indexing.idle()
    console.log(`# ${(await listDifferences(ctx)).length} after a day`)
    world.stepClock(SILENT)
  }
  await until(
    async () => {
      await ctx.indexing.idle()
      assert.deepEqual(await listDifferences(ctx), [])
      return true
    },
    { what: 'nodes, index and outbox to agree', timeout: PATIENCE },
  )
  console.log(`# ${early.length} differences were left to be found out`)
  await expectPromises(world, acts)
  await expectLive(world)
}

/** What waits, and why, with the time that it is compared with. */
async function listWaiting({ ctx }: World) {
  const columns = [
    'id',
    'account',
    'kind',
    'node',
    'item',
    'attempts',
    'reason',
    'problem',
    'createdAt',
    'nextTry',
  ] as const
  const rows = await ctx.state.selectFrom('outbox').select(columns).where('status', '=', 'waiting').execute()
  return rows.map((row) => ({ ...row, now: ctx.clock().toISOString(), session: ctx.sessions(row.account)?.status }))
}

async function expectPromises({ ctx }: World, acts: Outcome): Promise<void> {
  for (const { address, author, title } of acts.promised) {
    const name = addressKey(address)
    const [post, item] = [await findPost(ctx.index, address), await ctx.sessions(author)?.pubsub.findItem(address)]
    if (title === undefined) {
      assert.equal(item, undefined, `${name} was deleted`)
      assert.ok(post === undefined || post === 'gone', `${name} is not shown any more`)
    } else {
      assert.ok(item?.payload?.toString().includes(`>${title}<`), `${name} is on its node as last sent: ${title}`)
      assert.equal(post === 'gone' ? post : post?.title, title)
    }
  }
  for (const { post, address } of acts.comments) {
    if (post.title === undefined) continue
    const node = await findNode(ctx.index, address)
    assert.ok(node && (await findEntry(ctx.index, node.id, address.item)), `${addressKey(address)} is under its post`)
  }
  const entries = await ctx.index.selectFrom('entry').select('title').where('isPost', '=', 1).execute()
  const titles = entries.map(({ title }) => title)
  assert.equal(new Set(titles).size, titles.length, 'nothing is doubled')
}

/** Subscriptions hold again: what is published now is heard, without asking. */
async function expectLive({ ctx, mercutio, verona }: World): Promise<void> {
  for (const node of [verona, blogOf(mercutio.jid)]) {
    const address = itemOf(node, 'at-last')
    await until(
      async () => {
        await mercutio.pubsub.publishItem(address, entryOf({ title: 'At last', author: mercutio.jid }))
        return typeof (await findPost(ctx.index, address)) === 'object'
      },
      { what: `an event of ${addressKey(node)}` },
    )
  }
}

export interface Watch extends Disposable {
  /** Whether nobody was ever shown as the author of what Mallory wrote. */
  check(): void
}

interface WatchDeps {
  readonly ctx: { readonly index: IndexDb }
  readonly mallory: { readonly jid: BareJid }
}

/** Looks at the rows that pages are made of, again and again. */
export function watchAuthors({ ctx, mallory }: WatchDeps): Watch {
  const found = new Set<string>()
  const look = async () => {
    const rows = await ctx.index
      .selectFrom('entry')
      .select(['item', 'author', 'credit'])
      .where((is) => is.or([is('title', 'like', `%${FORGED}%`), is('html', 'like', `%${FORGED}%` as never)]))
      .where('author', 'is not', null)
      .where('author', '!=', mallory.jid)
      .execute()
    for (const { item, author, credit } of rows) found.add(`${item} as if by ${author} (${credit})`)
  }
  const timer = setInterval(() => void look().catch(() => {}), 50)
  return {
    check: () => assert.deepEqual([...found], []),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
