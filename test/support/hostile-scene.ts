import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { readConfig } from '#server/config.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import { followNode } from '#server/feeds/follow.ts'
import { removeComment } from '#server/feeds/moderation/remove.ts'
import { type OutboxRow, queueAffiliation, queueComment, queueCommunity, queuePost } from '#server/feeds/outbox.ts'
import { queueReact } from '#server/feeds/reactions/queue-react.ts'
import { queueRoom } from '#server/feeds/rooms/queue-room.ts'
import { createHealthCheck } from '#server/health.ts'
import { createApp } from '#server/http/app.ts'
import { createPeople } from '#server/people/people.ts'
import { createSecret } from '#server/people/secret.ts'
import { listComments } from '#server/store/comment.ts'
import { findDecision, saveDecision } from '#server/store/decision.ts'
import { findPost } from '#server/store/post.ts'
import { findRoomMember, findRoomOfBlog } from '#server/store/room.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { openSession } from '#server/xmpp/session.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { entryOf } from '#test/feeds/fixtures.ts'
import { createTestBrowser, type TestBrowser } from '#test/http/test-site.ts'
import { jidOf } from './context.ts'
import { accountAt, type HostileServer, startHostileServer } from './hostile-server.ts'
import { createRealContext, type RealContext } from './real-context.ts'
import type { Rig } from './rig.ts'
import { until } from './until.ts'

export const DRAFT: PostDraft = {
  title: 'Hello',
  text: 'A text',
  tags: [],
  language: 'en',
  summary: '',
  comments: true,
}
const SERVICE = jidOf('pubsub.ejabberd.test')

/** A site on a real server, with people of that server, and with sign-ins from a server that lies. */
export interface HostileScene extends AsyncDisposable {
  readonly ctx: RealContext
  readonly app: FastifyInstance
  readonly hostile: HostileServer
  readonly juliet: XmppSession
  readonly nurse: XmppSession
  /** The attacker, and another one of the same server. */
  readonly mallory: BareJid
  readonly accomplice: BareJid
  readonly blog: NodeAddress
  readonly post: ItemAddress
  /** The nurse's, on that post. */
  readonly comment: ItemAddress
  /** Removed, and decided to be put back: it waits for somebody to do it. */
  readonly restored: ItemAddress
  /** Juliet's, where the nurse has posted and Tybalt is shut out. */
  readonly nights: NodeAddress
  readonly nursesPost: ItemAddress
  readonly tybalt: BareJid
  /** A node that only some may read: the site's account, and Juliet, who follows it. */
  readonly secrets: NodeAddress
  readonly secretsTitle: string
  /** The room beside Juliet's blog. */
  readonly channel: BareJid
  signIn(jid: BareJid): Promise<TestBrowser>
  /** All that the site knows of the nodes of others than the hostile server's users, and what it shows of them. */
  lookAtOthers(): Promise<unknown>
  done(row: OutboxRow | undefined): Promise<OutboxRow>
}

export async function openHostileScene(rig: Rig): Promise<HostileScene> {
  const end = randomUUID().slice(0, 8)
  await using stack = new AsyncDisposableStack()
  const hostile = stack.use(await startHostileServer())
  const ctx = stack.use(await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` }))
  const juliet = await ctx.signIn(rig.ejabberd, `juliet-${end}`)
  const nurse = await ctx.signIn(rig.ejabberd, `nurse-${end}`)
  const { app, signIn, close } = await openSite(ctx, hostile)
  stack.defer(close)
  await ctx.indexing.start()
  await ctx.rooms.start()
  await ctx.outbox.start()
  const done = async (row: OutboxRow | undefined) => {
    assert.ok(row)
    const last = await ctx.outbox.settle(row.id, 30_000)
    assert.equal(last.status, 'done', last.problem)
    return last
  }
  const blog = { service: juliet.jid, node: NS.MICROBLOG }
  const post = (await done(await queuePost(ctx, { author: juliet.jid, key: `post-${end}`, draft: DRAFT }))).address
  const say = async (text: string) =>
    (await done(await queueComment(ctx, { author: nurse.jid, key: randomUUID(), post, text }))).address
  const comment = await say('Good morrow')
  const restored = await say('Ay, sir')
  await done(await queueReact(ctx, { by: nurse.jid, post, emoji: '🔥', isOn: true }))
  await done(await removeComment(ctx, { by: juliet.jid, address: restored }))
  const decision = await findDecision(ctx.state, restored)
  assert.ok(decision)
  await saveDecision(ctx.state, { ...decision, what: 'approved' })

  const form = { owner: juliet.jid, service: SERVICE, kind: 'base', description: '', publishers: 'everyone' } as const
  const made = await done(await queueCommunity(ctx, { ...form, key: `nights-${end}`, title: `Nights ${end}` }))
  const nights = { service: SERVICE, node: made.address.node }
  const draft = { ...DRAFT, title: 'By the nurse' }
  const nursesPost = (await done(await queuePost(ctx, { author: nurse.jid, key: `n-${end}`, draft, to: nights })))
    .address
  const tybalt = jidOf(`tybalt-${end}@ejabberd.test`)
  await done(await queueAffiliation(ctx, { by: juliet.jid, address: nights, jid: tybalt, affiliation: 'outcast' }))

  const secretsTitle = `Secrets ${end}`
  const secrets = { service: SERVICE, node: `secrets-${end}` }
  await juliet.pubsub.createNode(secrets, { access_model: 'whitelist', persist_items: '1', max_items: '10' })
  await juliet.pubsub.setAffiliation(secrets, ctx.site.jid, 'member')
  const plan = { ...secrets, item: asItemId('the-plan') }
  await juliet.pubsub.publishItem(plan, entryOf({ title: 'The plan', text: 'A potion', author: juliet.jid }))
  await followNode(ctx, juliet.jid, { address: secrets })
  await until(async () => typeof (await findPost(ctx.index, plan, 'restricted')) === 'object', {
    what: 'the secret to be known',
  })

  await done(await queueRoom(ctx, { owner: juliet.jid, blog, action: 'open', key: `room-${end}` }))
  const channel = (await findRoomOfBlog(ctx.state, blog))?.channel
  assert.ok(channel)
  const participant = (await findRoomMember(ctx.state, channel, juliet.jid))?.participant
  hostile.victims = { author: juliet.jid, channel, participant }
  await until(async () => (await listComments(ctx.index, comment)).length === 1)
  await ctx.indexing.idle()
  await ctx.rooms.idle()

  const owned = stack.move()
  return {
    ...{ ctx, app, hostile, juliet, nurse, blog, post, comment, restored, nights, nursesPost, tybalt },
    ...{ secrets, secretsTitle, channel, signIn, done },
    mallory: accountAt(hostile, `mallory-${end}`),
    accomplice: accountAt(hostile, `accomplice-${end}`),
    lookAtOthers: () => lookAtOthers(ctx),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function openSite(ctx: RealContext, hostile: HostileServer) {
  const config = readConfig({
    CANTO_URL: 'https://blog.example',
    CANTO_XMPP_JID: ctx.site.jid,
    CANTO_XMPP_PASSWORD: 'secret',
    CANTO_BLOGGERS: `ejabberd.test,${hostile.domain}`,
    CANTO_SIGNIN_DOMAINS: '*',
  })
  const secret = createSecret(randomBytes(32))
  const base = { ...ctx, config, secret, siteJid: ctx.site.jid }
  const people = createPeople({
    ...base,
    openSession: (options) => {
      const session = openSession({ ...options, isSite: false, log: ctx.log, service: hostile.service })
      ctx.adopt(session)
      return session
    },
    onSignIn: async (jid) => void (await addAuthor(ctx, jid)),
  })
  const app = await createApp({ ...base, people, readHealth: createHealthCheck(base) })
  return {
    app,
    async signIn(jid: BareJid): Promise<TestBrowser> {
      const browser = createTestBrowser(app)
      const { body } = await browser.get('/signin')
      const answer = await browser.submit(body, '/signin', { jid, password: 'secret' })
      assert.equal(answer.statusCode, 303, answer.body)
      return browser
    },
    async close() {
      await app.close()
      await people.stop()
    },
  }
}

/** Columns to compare: whether and when something was read does not count. */
const NODE = ['service', 'node', 'kind', 'owner', 'type', 'status', 'title', 'description', 'publishModel'] as const
const ENTRY = ['item', 'publisher', 'author', 'credit', 'payload', 'hold', 'title', 'commentsNode', 'rootItem'] as const

async function lookAtOthers({ index, state }: RealContext): Promise<unknown> {
  const isOthers = ({ service }: { service: string }) => !service.endsWith('evil.test')
  const entries = await index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['node.service', 'node.node', ...ENTRY.map((column) => `entry.${column}` as const)])
    .orderBy('entry.id')
    .execute()
  const all = {
    entries,
    nodes: await index.selectFrom('node').select(NODE).orderBy('id').execute(),
    reactions: await index.selectFrom('reaction').select(['service', 'node', 'item', 'reactor', 'emoji']).execute(),
    tombstones: await index.selectFrom('tombstone').select(['service', 'node', 'item']).execute(),
    communities: await state.selectFrom('community').select(['service', 'node', 'owner']).execute(),
    blocks: await state.selectFrom('block').select(['service', 'node', 'jid', 'by']).execute(),
    decisions: await state.selectFrom('decision').select(['service', 'node', 'item', 'what', 'by']).execute(),
    threads: await state.selectFrom('thread').selectAll().execute(),
    rooms: await state.selectFrom('room').select(['service', 'node', 'channel', 'owner', 'status']).execute(),
  }
  const kept = Object.entries(all).map(([name, rows]) => [name, (rows as { service: string }[]).filter(isOthers)])
  return {
    ...Object.fromEntries(kept),
    people: await index.selectFrom('participant').select(['channel', 'id', 'jid', 'isPresent']).orderBy('id').execute(),
    news: await state
      .selectFrom('notification')
      .select(['jid', 'kind', 'service', 'node', 'item'])
      .where(({ eb, ref }) => eb(ref('jid').$castTo<string>(), 'not like', '%evil.test'))
      .execute(),
  }
}
