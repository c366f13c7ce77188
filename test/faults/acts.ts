import { setTimeout as sleep } from 'node:timers/promises'
import { isAppError } from '#server/errors.ts'
import { blogOf } from '#server/feeds/blog-of.ts'
import { queueComment, queueDelete, queuePost } from '#server/feeds/queue.ts'
import { listComments } from '#server/store/comment.ts'
import { findPost } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { entryOf, itemOf } from '../feeds/fixtures.ts'
import type { Random } from './seeds.ts'
import type { World } from './world.ts'

/** A post that Canto answered for: it must be on its node and in the index as it was last sent, or nowhere. */
export interface Promised {
  readonly address: ItemAddress
  readonly author: BareJid
  /** The title; undefined once it was deleted. */
  title: string | undefined
}

/** A comment that Canto answered for: under its post as long as that is there. */
export interface PromisedComment {
  readonly post: Promised
  readonly address: ItemAddress
}

export interface Acts {
  readonly promised: readonly Promised[]
  readonly comments: readonly PromisedComment[]
  /** Somebody does something, and it may be under way still when this returns. */
  act(): Promise<void>
  /** When nobody does anything any more. */
  settle(): Promise<void>
}

/** What Mallory writes says so: it must not show under another's name. */
export const FORGED = 'MALLORY'
const PATIENCE_MS = 60

/** People write, change and delete, through Canto and with other clients, and Mallory forges. */
export function createActs(world: World, random: Random): Acts {
  const { ctx, juliet, romeo, mercutio, mallory, verona } = world
  const promised: Promised[] = []
  const comments: PromisedComment[] = []
  const tails = new Map<XmppSession, Promise<unknown>>()
  const writtenElsewhere: ItemAddress[] = []
  let count = 0

  /** One after the other, and whether it works or not: the node is the truth. */
  function elsewhere(session: XmppSession, action: () => Promise<unknown>): void {
    const tail = tails.get(session) ?? Promise.resolve()
    tails.set(
      session,
      tail.then(action).catch(() => {}),
    )
  }

  const draftOf = (title: string) => ({
    ...{ title, text: `Text of ${title}`, tags: [], language: 'en', summary: '', comments: true },
  })

  async function post(): Promise<void> {
    const author = random.pick([juliet, romeo]) ?? juliet
    const title = `Post ${++count}`
    const { address } = await queuePost(ctx, { author: author.jid, key: title, draft: draftOf(title) })
    promised.push({ address, author: author.jid, title })
  }

  async function edit(): Promise<void> {
    const post = random.pick(promised.filter(({ title }) => title !== undefined))
    if (post === undefined) return
    const title = `Post ${++count} (changed)`
    const { author, address } = post
    await queuePost(ctx, { author, key: title, draft: draftOf(title), edits: address })
    post.title = title
  }

  async function remove(): Promise<void> {
    const post = random.pick(promised.filter(({ title }) => title !== undefined))
    if (post === undefined) return
    await queueDelete(ctx, { author: post.author, address: post.address })
    post.title = undefined
  }

  async function comment(): Promise<void> {
    const post = random.pick(promised.filter(({ title }) => title !== undefined))
    if (post === undefined) return
    const text = `Comment ${++count}`
    const who = random.pick([juliet, romeo]) ?? juliet
    const { address } = await queueComment(ctx, { author: who.jid, key: text, post: post.address, text })
    comments.push({ post, address })
  }

  async function writeElsewhere(): Promise<void> {
    const node = random.pick([verona, blogOf(mercutio.jid)]) ?? verona
    const known = random.pick(writtenElsewhere)
    const title = `Elsewhere ${++count}`
    const kind = random.whole(4)
    if (known !== undefined && kind === 0) return elsewhere(mercutio, () => mercutio.pubsub.retractItem(known))
    const address = known !== undefined && kind === 1 ? known : itemOf(node, `elsewhere-${count}`)
    writtenElsewhere.push(address)
    const published = new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString()
    const payload = entryOf({ title, published, updated: new Date().toISOString(), author: mercutio.jid })
    elsewhere(mercutio, () => mercutio.pubsub.publishItem(address, payload))
  }

  async function forge(): Promise<void> {
    const victim = random.pick([juliet, romeo, mercutio]) ?? juliet
    const payload = entryOf({ title: `${FORGED} ${++count}`, text: FORGED, author: victim.jid, name: 'Your friend' })
    const target = (await chooseVictim()) ?? itemOf(verona, `forged-${count}`)
    elsewhere(mallory, () => mallory.pubsub.publishItem(target, payload))
  }

  /** A comment or a community's post that is there, a new comment, or nothing. */
  async function chooseVictim(): Promise<ItemAddress | undefined> {
    const kind = random.whole(3)
    if (kind === 0) return random.pick(writtenElsewhere.filter(({ node }) => node === verona.node))
    const thread = await chooseThread()
    if (thread === undefined) return undefined
    const [first] = kind === 1 ? await listComments(ctx.index, thread) : []
    return first?.address ?? itemOf(thread, `forged-${count}`)
  }

  async function chooseThread(): Promise<NodeAddress | undefined> {
    const post = random.pick(promised)
    const found = post && (await findPost(ctx.index, post.address))
    return typeof found === 'object' ? found.comments : undefined
  }

  const KINDS = [post, post, edit, remove, comment, comment, writeElsewhere, writeElsewhere, forge]
  return {
    promised,
    comments,
    async act() {
      try {
        await (random.pick(KINDS) ?? post)()
      } catch (error) {
        // The page would have said so: not indexed yet, deleted meanwhile, or more comments than one writes in a minute.
        if (!isAppError(error, 'not-found', 'gone', 'conflict', 'forbidden', 'too-many')) throw error
      }
      await sleep(random.next() * PATIENCE_MS)
    },
    async settle() {
      await Promise.all(tails.values())
    },
  }
}
