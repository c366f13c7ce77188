import assert from 'node:assert/strict'
import { countEntries } from '#server/store/entry.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { Item, Pubsub } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { createTestContext, jidOf, type TestContext, type TestContextOptions } from '#test/support/context.ts'
import { entryOf, itemOf, ROMEO } from './fixtures.ts'

export const SERVICE = jidOf('pubsub.montague.example')
export const COMMUNITY: NodeAddress = { service: SERVICE, node: 'verona' }
/** A reading of all is due within a day of an absence. */
export const DAY = 24 * 3_600_000

/** A context whose site follows a node of so many items, oldest first. */
export async function contextWith(
  address: NodeAddress,
  count: number,
  options: TestContextOptions = {},
): Promise<TestContext> {
  const ctx = await createTestContext(options)
  await ownerOf(ctx, address).createNode(address, { access_model: 'open', max_items: 'max' })
  for (let i = 0; i < count; i++) putItem(ctx, address, i)
  await follow(ctx, address)
  return ctx
}

export async function follow(ctx: TestContext, { service, node }: NodeAddress): Promise<void> {
  await addFollow(ctx.state, { follower: SITE, address: { service, node }, since: ctx.clock() })
}

export function ownerOf(ctx: TestContext, { service }: NodeAddress): Pubsub {
  return ctx.network.pubsubOf(service.includes('@') ? service : ROMEO)
}

export function dateOf(i: number): string {
  return new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString()
}

/** Puts an item on the node without telling anybody. */
export function putItem(ctx: TestContext, address: NodeAddress, i: number, title = `post ${i}`): void {
  const item: Item = { id: itemOf(address, `post-${i}`).item, payload: entryOf({ title, published: dateOf(i) }) }
  itemsOf(ctx, address).set(item.id, { ...item, publisher: ROMEO })
}

export function itemsOf(ctx: TestContext, { service, node }: NodeAddress) {
  const found = [...ctx.network.nodes.values()].find((n) => n.address.service === service && n.address.node === node)
  assert.ok(found, 'the node is there')
  return found.items
}

export async function nodeOf(ctx: TestContext, address: NodeAddress): Promise<NodeRow> {
  const node = await findNode(ctx.index, address)
  assert.ok(node, 'the index knows the node')
  return node
}

export async function countOf(ctx: TestContext, address: NodeAddress): Promise<number> {
  return countEntries(ctx.index, (await nodeOf(ctx, address)).id)
}

export async function titleOf(ctx: TestContext, address: NodeAddress, i: number): Promise<string | undefined> {
  const post = await findPost(ctx.index, itemOf(address, `post-${i}`))
  return typeof post === 'object' ? post.title : post
}

/** The methods that the site account called during an action. */
export async function askedWhile(ctx: TestContext, action: () => Promise<void>): Promise<string[]> {
  const before = ctx.network.asked.length
  await action()
  return ctx.network.asked.slice(before).flatMap(({ account, method }) => (account === ctx.site.jid ? method : []))
}

/** The site account goes, something happens, and it comes back by a new stream. */
export async function whileAway(ctx: TestContext, action: () => void | Promise<void>): Promise<string[]> {
  ctx.site.setStatus('waiting')
  await action()
  return askedWhile(ctx, async () => {
    ctx.site.setStatus('online')
    await ctx.indexing.idle()
  })
}

export async function read(ctx: TestContext): Promise<void> {
  await ctx.indexing.start()
  await ctx.indexing.idle()
}

/** Lets the time come in which everything is compared whole. */
export function waitADay(ctx: TestContext): void {
  ctx.setNow(new Date(ctx.clock().getTime() + DAY))
}
