import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import Fastify from 'fastify'
import { queueAffiliation, queuePost } from '#server/feeds/outbox.ts'
import { listPeople } from '#server/feeds/owners.ts'
import { TASK_KINDS } from '#server/feeds/perform.ts'
import { queue } from '#server/feeds/queue-row.ts'
import type { Task } from '#server/feeds/task.ts'
import { FEED_PATHS } from '#server/http/places.ts'
import { ROUTES } from '#server/http/routes/index.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { findBlock } from '#server/store/community.ts'
import { addFollow } from '#server/store/follow.ts'
import { findOutboxRow, listOutbox } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { saveRoomMember } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { asItemId, type ItemAddress, type NodeAddress, writeXmppUri } from '#shared/address.ts'
import { nodePath, postPath, writeCommentSegment } from '#shared/paths.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import type { TestBrowser } from '#test/http/test-site.ts'
import { DRAFT, type HostileScene, openHostileScene } from '#test/support/hostile-scene.ts'
import { FORGED } from '#test/support/hostile-server.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'

let rig: Rig
let scene: HostileScene
before(async () => {
  rig = await useRig()
  scene = await openHostileScene(rig)
})
after(async () => {
  await scene?.[Symbol.asyncDispose]()
  await rig.stop()
})

type Case = readonly [task: Task, address: ItemAddress]
const whole = (node: NodeAddress): ItemAddress => ({ service: node.service, node: node.node, item: asItemId('') })
const NOW = '2026-01-02T03:04:05.000Z'

/** For each kind of task what would harm others, if the session that does it were believed. */
const TASKS: Readonly<Record<Task['kind'], () => readonly Case[]>> = {
  post: () => {
    const task = { kind: 'post', draft: DRAFT, draftId: randomUUID(), published: NOW, updated: NOW } as const
    return [{ ...scene.blog, item: asItemId('forged-post') }, scene.post, scene.nursesPost].map((at) => [task, at])
  },
  delete: () =>
    [scene.post, scene.nursesPost].flatMap((at): Case[] => [
      [{ kind: 'delete' }, at],
      [{ kind: 'delete', isAsked: true }, at],
    ]),
  comment: () => {
    const task = { kind: 'comment', text: FORGED, inReplyTo: scene.post, published: NOW } as const
    return [scene.comment, { ...scene.comment, item: asItemId('forged-comment') }].map((at) => [task, at])
  },
  'remove-comment': () => [
    [{ kind: 'remove-comment' }, scene.comment],
    [{ kind: 'remove-comment', isAsked: true }, scene.comment],
  ],
  'restore-comment': () => [[{ kind: 'restore-comment' }, scene.restored]],
  'close-thread': () => {
    const asked = { kind: 'close-thread', post: scene.post, isAsked: true } as const
    return [
      [{ kind: 'close-thread', post: scene.post }, whole(scene.comment)],
      [{ ...asked, isClosed: true }, whole(scene.comment)],
      [{ ...asked, isClosed: false }, whole(scene.comment)],
    ]
  },
  react: () => {
    const node = attachmentsOf(scene.post)
    const wish = { kind: 'react', post: scene.post, at: NOW, heart: asItemId('forged-heart') } as const
    return ['🔥', '♥'].flatMap((emoji): Case[] => [
      [
        { ...wish, emoji, isOn: true },
        { ...node, item: asItemId(scene.mallory) },
      ],
      [
        { ...wish, emoji, isOn: false },
        { ...node, item: asItemId(scene.nurse.jid) },
      ],
    ])
  },
  settings: () => {
    const words = { title: FORGED, description: FORGED, name: FORGED, language: 'en', updated: NOW }
    return [
      [
        { kind: 'settings', ...words },
        { ...scene.blog, item: asItemId('0') },
      ],
    ]
  },
  relink: () => [
    [{ kind: 'relink', alternate: 'https://evil.test/' }, scene.post],
    [{ kind: 'relink', isRoom: true }, scene.post],
  ],
  follow: () => [[{ kind: 'follow' }, whole(scene.secrets)]],
  unfollow: () => [[{ kind: 'unfollow' }, whole(scene.secrets)]],
  'public-follows': () => [[{ kind: 'public-follows' }, whole(scene.blog)]],
  community: () => {
    const words = { title: FORGED, description: FORGED, isOpen: true, publishers: [] }
    return [scene.secrets, scene.blog, scene.nights].map((node) => {
      return [{ kind: 'community', profile: 'base', ...words }, whole(node)]
    })
  },
  block: () => [
    [{ kind: 'block', jid: scene.juliet.jid, affiliation: 'outcast' }, whole(scene.blog)],
    [{ kind: 'block', jid: scene.nurse.jid, affiliation: 'outcast' }, whole(scene.nights)],
    [{ kind: 'block', jid: scene.tybalt, affiliation: 'none' }, whole(scene.nights)],
    [{ kind: 'block', jid: scene.tybalt, affiliation: 'publisher' }, whole(scene.nights)],
  ],
  room: () => {
    const own = whole({ service: scene.mallory, node: scene.blog.node })
    return (['open', 'close'] as const).map((action) => [{ kind: 'room', action }, own])
  },
  'room-member': () => {
    return [[{ kind: 'room-member', action: 'join', nick: 'Juliet' }, whole(talkNode(scene.channel))]]
  },
  'room-message': () => {
    return [
      [
        { kind: 'room-message', text: FORGED },
        { ...talkNode(scene.channel), item: asItemId(randomUUID()) },
      ],
    ]
  },
  announce: () => {
    return [[{ kind: 'announce', channel: scene.channel, post: scene.post }, whole(talkNode(scene.channel))]]
  },
}

/** A row was tried: it was done, refused, or is to be tried again. */
async function isTried(id: number): Promise<boolean> {
  const row = await findOutboxRow(scene.ctx.state, id)
  return row === undefined || row.status !== 'waiting' || row.nextTry !== undefined
}

describe('a server that lies to those who sign in', () => {
  it('has a case for every kind of task', () => {
    assert.deepEqual(Object.keys(TASKS).sort(), [...TASK_KINDS].sort())
  })

  for (const kind of TASK_KINDS) {
    it(`changes nothing of others by a task of kind ${kind}`, async () => {
      const { ctx, mallory } = scene
      await scene.signIn(mallory)
      await addAuthorRow(ctx.state, mallory, ctx.clock())
      // Mallory was believed about their id in the room before.
      const participant = scene.hostile.victims.participant ?? ''
      if (kind === 'room-message' || kind === 'announce') {
        await saveRoomMember(ctx.state, { channel: scene.channel, jid: mallory, participant, since: ctx.clock() })
      }
      if (kind === 'follow')
        await addFollow(ctx.state, { follower: mallory, address: scene.secrets, since: ctx.clock() })
      const before = await scene.lookAtOthers()
      const told = scene.hostile.lies
      for (const [task, address] of TASKS[kind]()) {
        const row = await queue(ctx, task, { account: mallory, address, key: randomUUID() })
        await until(() => isTried(row.id), { what: `${kind} to be tried` })
        // A row that still waits to be seen would hold up the next.
        await ctx.state.deleteFrom('outbox').where('id', '=', row.id).execute()
      }
      assert.ok(scene.hostile.lies > told, 'the server was asked nothing')
      await ctx.indexing.idle()
      assert.deepEqual(await scene.lookAtOthers(), before)
    })
  }
})

interface Form {
  readonly fields?: () => Readonly<Record<string, string>>
  /** Parameters of the address besides the feed and the post. */
  readonly params?: () => Readonly<Record<string, string>>
}

const key = () => randomUUID()
const ofPost = () => writeXmppUri(scene.post)
const ofNights = () => writeXmppUri(scene.nights)
const ofComment = () => ({ comment: writeCommentSegment(scene.comment) })
const isRoom = { params: () => ({ message: 'forged' }) }

/** Each form by its address: those of a post are sent for Juliet's, and for the nurse's in the community. */
const FORMS: Readonly<Record<string, Form>> = {
  'FEED/:item/comments': { fields: () => ({ key: key(), text: FORGED }) },
  'FEED/:item/comments/:comment/remove': { params: ofComment },
  'FEED/:item/comments/:comment/report': { params: ofComment, fields: () => ({ reason: FORGED }) },
  'FEED/:item/comments/discard': { fields: () => ({ row: '1' }) },
  'FEED/:item/comments/proof': { fields: () => ({ key: key(), text: FORGED, jid: scene.mallory }) },
  'FEED/:item/delete': {},
  'FEED/:item/edit': { fields: () => ({ key: key(), title: FORGED, text: FORGED, action: 'publish' }) },
  'FEED/:item/reactions': { fields: () => ({ emoji: '🔥', action: 'add' }) },
  'FEED/:item/report': { fields: () => ({ reason: FORGED }) },
  'FEED/:item/share': { fields: () => ({ key: key(), words: FORGED }) },
  'FEED/:item/thread': { fields: () => ({ action: 'close' }) },
  'FEED/:item/wish': { fields: () => ({ wish: 'muted' }) },
  '/@:blog/room/join': { fields: () => ({ nick: 'Juliet' }) },
  '/@:blog/room/leave': {},
  '/@:blog/room/messages': { fields: () => ({ key: key(), text: FORGED }) },
  '/@:blog/room/messages/:message/remove': isRoom,
  '/communities': {
    fields: () => ({ key: key(), title: scene.secretsTitle, service: scene.secrets.service, who: 'everyone' }),
  },
  '/communities/block': { fields: () => ({ of: ofNights(), jid: scene.nurse.jid, action: 'block' }) },
  '/consent': { fields: () => ({ answer: 'yes' }) },
  '/drafts/:key': { params: () => ({ key: key() }), fields: () => ({ title: FORGED, text: FORGED, to: ofNights() }) },
  '/drafts/:key/delete': { params: () => ({ key: key() }) },
  '/following': { fields: () => ({ address: ofNights() }) },
  '/following/import': { fields: () => ({ opml: '<opml/>' }) },
  '/following/of': { fields: () => ({ address: scene.juliet.jid }) },
  '/following/preview': { fields: () => ({ address: ofNights() }) },
  '/following/public': { fields: () => ({ public: '1' }) },
  '/following/unfollow': { fields: () => ({ address: ofNights() }) },
  '/home/address': {},
  '/home/read': {},
  '/moderation': { fields: () => ({ action: 'remove', 'item-0': writeXmppUri(scene.comment) }) },
  '/notifications/address': {},
  '/notifications/read': {},
  '/outbox/:id/drop': { params: () => ({ id: '1' }) },
  '/outbox/:id/retry': { params: () => ({ id: '1' }) },
  '/reports': { fields: () => ({ action: 'hide', 'item-0': ofPost() }) },
  '/settings': { fields: () => ({ title: FORGED, name: FORGED }) },
  '/settings/messages': { fields: () => ({ messages: '1' }) },
  '/settings/room': { fields: () => ({ key: key() }) },
  '/settings/room/close': {},
  '/signin': { fields: () => ({ jid: scene.mallory, password: 'secret' }) },
  '/signout': {},
  '/write': {
    fields: () => ({ key: key(), title: FORGED, text: FORGED, action: 'publish', to: writeXmppUri(scene.blog) }),
  },
}

/** The addresses of all forms, as the site has them. */
function listForms(): string[] {
  const found = new Set<string>()
  const app = Fastify()
  app.addHook('onRoute', ({ method, url }) => {
    if ([method].flat().includes('POST')) found.add(url)
  })
  for (const addRoute of ROUTES) addRoute(app, { ctx: {} } as Parameters<typeof addRoute>[1])
  return [...found].sort()
}

function formOf(route: string): Form | undefined {
  const [feed] = FEED_PATHS.filter((path) => route.startsWith(`${path}/:item`))
  return FORMS[feed === undefined ? route : route.replace(feed, 'FEED')]
}

function addressOf(route: string, params: Readonly<Record<string, string>> = {}): string {
  const site = { domain: scene.ctx.siteDomain }
  const post = route.startsWith('/c/') ? scene.nursesPost : scene.post
  const path = route
    .replace(/^(?:\/@:blog|\/c\/:service\/:node)\/:item/, postPath(site, post))
    .replace(/^\/@:blog/, nodePath(site, scene.blog))
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
}

async function readToken(browser: TestBrowser): Promise<string> {
  const { body } = await browser.get('/settings')
  return /name="token" value="([^"]+)"/.exec(body)?.[1] ?? ''
}

/** When nothing that the attacker wants waits to be tried for the first time. */
async function allTried(): Promise<void> {
  const { ctx, mallory } = scene
  await until(async () => {
    const rows = await listOutbox(ctx.state, mallory)
    return rows.every(({ status, nextTry }) => status !== 'waiting' || nextTry !== undefined)
  })
  await ctx.state.deleteFrom('outbox').where('account', '=', mallory).execute()
  await ctx.indexing.idle()
}

describe('a form sent from a session whose server lies', () => {
  it('has a case for every form of the site', () => {
    const routes = listForms()
    assert.ok(routes.length > 50)
    assert.deepEqual(
      routes.filter((route) => formOf(route) === undefined),
      [],
    )
    const used = new Set(routes.map(formOf))
    assert.deepEqual(
      Object.entries(FORMS).flatMap(([route, form]) => (used.has(form) ? [] : [route])),
      [],
    )
  })

  for (const route of listForms()) {
    it(`changes nothing of others by ${route}`, async () => {
      const { mallory } = scene
      const browser = await scene.signIn(mallory)
      const token = await readToken(browser)
      assert.notEqual(token, '')
      const before = await scene.lookAtOthers()
      const form = formOf(route)
      const answer = await browser.post(addressOf(route, form?.params?.()), { token, ...form?.fields?.() })
      assert.ok(answer.statusCode < 500, `${answer.statusCode} ${answer.body.slice(0, 2_000)}`)
      await allTried()
      assert.deepEqual(await scene.lookAtOthers(), before)
    })
  }
})

describe('a lying server', () => {
  /** The page as everybody sees it. */
  const look = async (path: string) => scene.app.inject({ url: path, headers: { accept: 'text/html' } })
  const pathOf = (node: NodeAddress) => nodePath({ domain: scene.ctx.siteDomain }, node)
  const send = async (jid: typeof scene.mallory, path: string, fields: Record<string, string>) => {
    const browser = await scene.signIn(jid)
    return browser.post(path, { token: await readToken(browser), ...fields })
  }

  it('puts no post on another’s blog or feed, and its user is told that it is not seen', async () => {
    const { ctx, mallory, blog } = scene
    const draft = { ...DRAFT, title: `Never said ${randomUUID()}` }
    const row = await queuePost(ctx, { author: mallory, key: randomUUID(), draft, to: blog })
    const waiting = await until(async () => {
      const found = await findOutboxRow(ctx.state, row.id)
      return found?.reason === 'unseen' ? found : undefined
    })
    assert.match(waiting.problem ?? '', /It was sent to juliet-.*shows here once this site can read it there/)
    const browser = await scene.signIn(mallory)
    const own = await browser.get(postPath({ domain: ctx.siteDomain }, row.address))
    assert.equal(own.statusCode, 200)
    assert.match(own.body, /It was sent to juliet-/)
    for (const path of ['/', pathOf(blog), '/atom.xml', `${pathOf(blog)}/atom.xml`]) {
      assert.ok(!(await look(path)).body.includes(draft.title), path)
    }
    assert.equal(await findPost(ctx.index, row.address), undefined)
    await allTried()
  })

  it('blocks nobody on her own blog', async () => {
    const { ctx, mallory, juliet, blog } = scene
    const fields = { of: writeXmppUri(blog), jid: juliet.jid, action: 'block' }
    assert.equal((await send(mallory, '/communities/block', fields)).statusCode, 403)
    assert.equal(await findBlock(ctx.state, blog, juliet.jid), undefined)
    await scene.done(await queuePost(ctx, { author: juliet.jid, key: randomUUID(), draft: DRAFT }))
  })

  it('lifts no block for an accomplice, who reads that nothing changes here', async () => {
    const { ctx, accomplice, juliet, nights, tybalt } = scene
    await scene.signIn(accomplice)
    const row = await queueAffiliation(ctx, { by: accomplice, address: nights, jid: tybalt, affiliation: 'none' })
    const last = await scene.done(row)
    assert.match(last.problem ?? '', /does not show this site who owns this: nothing changes here/)
    assert.equal(await findBlock(ctx.state, nights, tybalt), juliet.jid)
  })

  it('makes nobody an owner by its list, so that no post of others is removed', async () => {
    const { ctx, mallory, nights, nursesPost } = scene
    const before = await scene.lookAtOthers()
    const browser = await scene.signIn(mallory)
    const page = await browser.get(`/communities/people?of=${encodeURIComponent(writeXmppUri(nights))}`)
    assert.match(page.body, /does not show this site who owns this community/)
    assert.equal((await listPeople(ctx, mallory, nights)).isSeen, false)
    const path = postPath({ domain: ctx.siteDomain }, nursesPost)
    // Its service names Juliet, so that what Mallory says counts for nothing at all.
    assert.equal((await send(mallory, `${path}/thread`, { action: 'close' })).statusCode, 403)
    await browser.get(`/communities/people?of=${encodeURIComponent(writeXmppUri(nights))}`)
    assert.equal((await send(mallory, `${path}/delete`, {})).statusCode, 403)
    await allTried()
    assert.equal(typeof (await findPost(ctx.index, nursesPost)), 'object')
    assert.deepEqual(await scene.lookAtOthers(), before)
  })

  it('shows nobody what only some may read, by “making” a community of its name', async () => {
    const { mallory, secrets, secretsTitle } = scene
    const fields = { key: randomUUID(), title: secretsTitle, service: secrets.service, who: 'everyone' }
    const answer = await send(mallory, '/communities', fields)
    assert.match(answer.body, /Sent\..*does not show this site who owns it/s)
    for (const path of [pathOf(secrets), `${pathOf(secrets)}/the-plan`, '/communities']) {
      assert.ok(!(await look(path)).body.includes('The plan'), path)
    }
  })

  it('makes no room of a channel that is another’s', async () => {
    const { ctx, mallory, channel } = scene
    await send(mallory, '/settings/room', { key: randomUUID() })
    await allTried()
    const rooms = await ctx.state.selectFrom('room').select(['service', 'channel']).execute()
    assert.deepEqual(
      rooms.filter(({ service }) => service === mallory),
      [],
    )
    assert.equal(rooms.filter((room) => room.channel === channel).length, 1)
  })
})
