import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { learnNodeInfo } from '#server/feeds/node-info.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { listPosts } from '#server/store/post.ts'
import type { DiscoInfo } from '#server/xmpp/ports.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { entryOf, itemOf, publishTo, ROMEO } from './fixtures.ts'

const NODE = { service: jidOf('pubsub.montague.example'), node: 'verona' }
const POSTS = 10

/** Reads what its service says about the node: its type, if it has one. Returns how many rows that changed. */
async function learn(ctx: TestContext, type: string | undefined): Promise<number> {
  const fields = new Map(type === undefined ? [] : [['pubsub#type', [type]]])
  const info: DiscoInfo = { identities: [], features: new Set(), forms: new Map([[NS.PUBSUB_META_DATA, fields]]) }
  const site = { disco: { readInfo: async () => info }, pubsub: { listAffiliations: async () => [] } }
  const row = await findNode(ctx.index, NODE)
  assert.ok(row)
  const before = await countChanges(ctx)
  await learnNodeInfo({ index: ctx.index, state: ctx.state, clock: ctx.clock, site }, { ...row, infoReadAt: undefined })
  return (await countChanges(ctx)) - before
}

async function countChanges({ index }: TestContext): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT total_changes() AS count`.execute(index)
  return rows[0]?.count ?? 0
}

async function listProfiles({ index }: TestContext): Promise<string[]> {
  const { rows } = await listPosts(index, { scope: { kind: 'feeds', addresses: [NODE] }, limit: POSTS })
  assert.equal(rows.length, POSTS)
  return [...new Set(rows.map(({ profile }) => profile))]
}

describe('the type that a service says a node has', () => {
  it('is that of all its posts at once, and none of them is written again', async () => {
    await using ctx = await createTestContext()
    await addNode(ctx.index, { address: NODE, kind: 'community', now: ctx.clock() })
    for (let n = 1; n <= POSTS; n++)
      await publishTo(ctx, itemOf(NODE, `post-${n}`), { payload: entryOf({ author: ROMEO }) })
    const asRead = await listProfiles(ctx)
    for (const [type, profiles] of [
      [NS.GALLERY, ['gallery']],
      [NS.SOCIAL_FEED, ['base']],
      [NS.GALLERY, ['gallery']],
      // What they are tells each of them alone again.
      [undefined, asRead],
      ['urn:example:unknown', asRead],
    ] as const) {
      assert.equal(await learn(ctx, type), 1)
      assert.deepEqual(await listProfiles(ctx), profiles)
    }
  })
})
