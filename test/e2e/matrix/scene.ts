import { randomUUID } from 'node:crypto'
import { blogOf } from '#server/feeds/blog-of.ts'
import { followNode } from '#server/feeds/follow.ts'
import { type Follow, findFollow } from '#server/store/follow.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import type { PubsubEvent, XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { comments as commentsProfile } from '#shared/profiles/comments.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import type { Rig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { entryOf, itemOf } from '../../feeds/fixtures.ts'
import type { Place, ServerName } from './places.ts'

/** A node at a place, its people, and a Canto that may go away and come back. */
export interface Scene extends AsyncDisposable {
  readonly node: NodeAddress
  /** Of the node's comments, at the same place. */
  readonly thread: NodeAddress
  /** Where the post is that links to it. */
  readonly blog: NodeAddress
  readonly owner: XmppSession
  /** On the other server. */
  readonly commenter: XmppSession
  /** On the server of the node. */
  readonly stranger: XmppSession
  readonly ctx: RealContext
  /** Every event that came to the site's account. */
  readonly heard: readonly PubsubEvent[]
  /** By somebody on the site's server, with an account of their own. */
  follow(address: NodeAddress): Promise<void>
  wish(address: NodeAddress): Promise<Follow | undefined>
  row(address?: NodeAddress): Promise<NodeRow | undefined>
  leave(): Promise<void>
  comeBack(): Promise<void>
  /** Canto's, never the machine's. */
  stepClock(ms: number): void
}

export interface SceneOptions {
  readonly place: Place
  /** Where the site account is. */
  readonly home: ServerName
  /** How many posts are on the node before anybody follows it. */
  readonly items: number
}

export async function openScene(rig: Rig, { place, home, items }: SceneOptions): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTestFolder())
  const end = randomUUID().slice(0, 8)
  const other: ServerName = place.server === 'ejabberd' ? 'prosody' : 'ejabberd'
  const open = async (server: ServerName, user: string) => {
    await rig[server].register(user, `password of ${user}`).catch(() => {})
    const session = stack.use(openTestSession(rig[server], user))
    await session.whenOnline(30_000)
    return session
  }
  const owner = await open(place.server, place.admin ?? `owner-${end}`)
  const commenter = await open(other, `commenter-${end}`)
  const stranger = await open(place.server, `stranger-${end}`)
  const blog = blogOf(owner.jid)
  const node = place.nodeOf(owner.jid, `matrix-${end}`)
  const thread = { service: node.service, node: `urn:xmpp:microblog:0:comments/post-${end}` }
  await makeNode(owner, blog, BASE_CONFIG)
  await makeNode(owner, node, BASE_CONFIG)
  await makeNode(owner, thread, commentsProfile.config)
  await publishMany(owner, node, items)

  const heard: PubsubEvent[] = []
  const reader = `reader-${end}`
  const follower = `${reader}@${rig[home].domain}` as BareJid
  let offset = 0
  const clock = () => new Date(Date.now() + offset)
  const begin = async () => {
    const paths = { indexPath: folder.file('index.sqlite'), statePath: folder.file('state.sqlite') }
    const ctx = await createRealContext({ home: rig[home], siteUser: `site-${end}`, ...paths, clock })
    ctx.site.onPubsubEvent((event) => heard.push(event))
    await ctx.signIn(rig[home], reader)
    await ctx.indexing.start()
    await ctx.outbox.start()
    return ctx
  }
  let ctx: RealContext | undefined = await begin()
  const current = () => {
    if (ctx === undefined) throw new Error('Canto is away')
    return ctx
  }
  const leave = async () => {
    await ctx?.[Symbol.asyncDispose]()
    ctx = undefined
  }
  stack.defer(leave)
  const owned = stack.move()
  return {
    ...{ node, thread, blog, owner, commenter, stranger, heard, leave },
    get ctx() {
      return current()
    },
    follow: (address) => followNode(current(), follower, { address }),
    wish: (address) => findFollow(current().state, follower, address),
    row: (address = node) => findNode(current().index, address),
    stepClock: (ms) => {
      offset += ms
    },
    async comeBack() {
      ctx = await begin()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function makeNode(owner: XmppSession, address: NodeAddress, config: Record<string, string>): Promise<void> {
  await owner.pubsub.createNode(address, config)
  await owner.pubsub.configureNode(address, config)
}

/** The name of the nth post, from 1. */
export function nth(n: number): string {
  return `post-${String(n).padStart(5, '0')}`
}

async function publishMany({ pubsub }: XmppSession, node: NodeAddress, count: number): Promise<void> {
  const batch = 50
  for (let first = 1; first <= count; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, count - first + 1) }, (_, i) => first + i)
    await Promise.all(numbers.map((n) => pubsub.publishItem(itemOf(node, nth(n)), postOf(n))))
  }
}

/** Of about 600 bytes: 2,000 of them are more than one answer may hold. */
function postOf(n: number) {
  const published = new Date(Date.UTC(2025, 0, 1, 0, n)).toISOString()
  return entryOf({ title: nth(n), text: 'What light through yonder window breaks? '.repeat(6), published })
}
