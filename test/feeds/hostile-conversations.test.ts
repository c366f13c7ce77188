import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAppError } from '#server/errors.ts'
import { postTopic, roomTopic } from '#server/feeds/live.ts'
import { blockOnBlog } from '#server/feeds/moderation/block.ts'
import { closeThread } from '#server/feeds/moderation/close-thread.ts'
import { decide } from '#server/feeds/moderation/decide.ts'
import { removeComment } from '#server/feeds/moderation/remove.ts'
import { listAudience } from '#server/feeds/notify/audience.ts'
import { groupNotices } from '#server/feeds/notify/group.ts'
import { markWords } from '#server/feeds/proofs/mark.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { findNewsEntry } from '#server/store/news.ts'
import { addNode } from '#server/store/node.ts'
import { listOutbox } from '#server/store/outbox.ts'
import { savePerson } from '#server/store/person.ts'
import { countReactions } from '#server/store/reaction.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { type Contributor, writeContributor } from '#shared/contributor.ts'
import { NS } from '#shared/ns.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { writeReaction } from '#shared/reactions.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO, THREAD, xml } from './fixtures.ts'

const POST = itemOf(BLOG, 'balcony')
const LINK = { title: 'Look: https://spam.example/' }

async function open(): Promise<TestContext> {
  const ctx = await createTestContext()
  await addAuthorRow(ctx.state, JULIET, ctx.clock())
  await addNode(ctx.index, { address: BLOG, kind: 'blog', owner: JULIET, now: ctx.clock() })
  await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  return ctx
}

function say(ctx: TestContext, address: ItemAddress, from: string, words = {}) {
  return publishTo(ctx, address, { payload: entryOf({ author: from, ...words }), publisher: from })
}

async function holdOf(ctx: TestContext, address: ItemAddress): Promise<string | null> {
  return (await findJudged(ctx.index, address))?.hold ?? null
}

describe('writing over the comment of another, as some services let anybody', () => {
  it('decides nothing about it', async () => {
    await using ctx = await open()
    const address = itemOf(THREAD, 'his')
    await say(ctx, address, ROMEO)
    assert.equal(await say(ctx, address, MALLORY, LINK), 'ignored')
    assert.equal(await findDecision(ctx.state, address), undefined)
    await say(ctx, address, ROMEO, { title: 'Hark', updated: '2026-01-02T03:05:05Z' })
    assert.equal(await holdOf(ctx, address), null)
  })

  it('does not have it taken away by the block of who did so', async () => {
    await using ctx = await open()
    const address = itemOf(THREAD, 'his')
    await say(ctx, address, ROMEO)
    await blockOnBlog(ctx, { by: JULIET, blog: BLOG, jid: MALLORY })
    assert.equal(await say(ctx, address, MALLORY), 'ignored')
    const rows = await listOutbox(ctx.state, JULIET)
    assert.deepEqual(
      rows.filter(({ address: { item } }) => item === 'his'),
      [],
    )
    assert.equal(await holdOf(ctx, address), null)
  })
})

describe('a post that links to the thread of another', () => {
  const service = jidOf('pubsub.capulet.example')
  const tybalt = jidOf('tybalt@capulet.example')
  const thread: NodeAddress = { service, node: 'urn:xmpp:microblog:0:comments/hers' }
  const hers = itemOf(BLOG, 'hers')
  const tybalts: NodeAddress = { service: tybalt, node: 'urn:xmpp:microblog:0' }
  const his = itemOf(tybalts, 'his')

  async function claim(): Promise<TestContext> {
    const ctx = await open()
    await publishTo(ctx, hers, { payload: entryOf({ more: commentsLink(thread) }), publisher: JULIET })
    await addAuthorRow(ctx.state, tybalt, ctx.clock())
    await addNode(ctx.index, { address: tybalts, kind: 'blog', owner: tybalt, now: ctx.clock() })
    await publishTo(ctx, his, { payload: entryOf({ more: commentsLink(thread) }), publisher: tybalt })
    return ctx
  }

  it('lets its writer decide about nothing there', async () => {
    await using ctx = await claim()
    const address = itemOf(thread, 'a')
    await say(ctx, address, ROMEO)
    const isForbidden = (error: unknown) => isAppError(error, 'forbidden')
    await assert.rejects(removeComment(ctx, { by: tybalt, address }), isForbidden)
    await assert.rejects(decide(ctx, { by: tybalt, address, what: 'held' }), isForbidden)
    assert.equal(await holdOf(ctx, address), null)
    await decide(ctx, { by: JULIET, address, what: 'held' })
    assert.equal(await holdOf(ctx, address), 'held')
  })

  it('shuts nobody out of it', async () => {
    await using ctx = await claim()
    await blockOnBlog(ctx, { by: tybalt, blog: tybalts, jid: ROMEO })
    const address = itemOf(thread, 'a')
    assert.equal(await say(ctx, address, ROMEO), 'stored')
    assert.equal(await holdOf(ctx, address), null)
    assert.deepEqual(await listOutbox(ctx.state, tybalt), [])
  })

  it('closes nothing by the session of whose it is', async () => {
    await using ctx = await claim()
    await closeThread(ctx, { by: tybalt, post: his, isClosed: true }).catch(() => {})
    assert.deepEqual(await listOutbox(ctx.state, JULIET), [])
    const address = itemOf(thread, 'a')
    await say(ctx, address, ROMEO)
    assert.equal(await holdOf(ctx, address), null)
  })
})

describe('comments of nobody in particular', () => {
  it('are limited too, as those of one server', async () => {
    await using ctx = await open()
    ctx.setNow('2026-03-01T12:00:00Z')
    for (let n = 0; n < 32; n++) {
      await publishTo(ctx, itemOf(THREAD, `c${n}`), { payload: entryOf({ author: `bot${n}@evil.example` }) })
    }
    assert.equal(await holdOf(ctx, itemOf(THREAD, 'c29')), null)
    assert.equal(await holdOf(ctx, itemOf(THREAD, 'c30')), 'held')
  })
})

describe('who is shut out of a blog', () => {
  it('reacts to nothing there', async () => {
    await using ctx = await open()
    const node = attachmentsOf(POST)
    await addNode(ctx.index, { address: node, kind: 'attachments', owner: JULIET, now: ctx.clock() })
    const payload = writeReaction(undefined, { emoji: '🌹', isOn: true, now: ctx.clock() })
    await blockOnBlog(ctx, { by: JULIET, blog: BLOG, jid: MALLORY })
    await publishTo(ctx, itemOf(node, MALLORY), { payload, publisher: MALLORY })
    await publishTo(ctx, itemOf(node, ROMEO), { payload, publisher: ROMEO })
    assert.deepEqual(
      (await countReactions(ctx.index, POST)).map(({ emoji, count }) => [emoji, count]),
      [['🌹', 1]],
    )
  })
})

describe('an answer in a room', () => {
  const talk: NodeAddress = { service: jidOf('room@mix.example'), node: NS.MIX_MESSAGES }
  const answer = itemOf(talk, '1')

  async function openRoom(): Promise<TestContext> {
    const ctx = await open()
    await addNode(ctx.index, { address: talk, kind: 'room', owner: JULIET, now: ctx.clock() })
    await savePerson(ctx.index, { jid: ROMEO, name: 'Romeo Montague', namedAt: ctx.clock() })
    const payload = xml(`<message xmlns='jabber:client' type='groupchat' id='1' from='${talk.service}/abc'>
      <body>By any other @${JULIET}</body></message>`)
    const room = { kind: 'answer', root: POST, inReplyTo: POST, at: ctx.clock(), nick: 'Mercutio' } as const
    assert.equal(await publishTo(ctx, answer, { payload, publisher: ROMEO }, { room }), 'stored')
    return ctx
  }

  it('leaves the open pages of the post and of the room as soon as it is removed', async () => {
    await using ctx = await openRoom()
    const told: string[] = []
    for (const topic of [postTopic(POST), roomTopic(talk.service)]) ctx.live.subscribe(topic, () => told.push(topic))
    await removeComment(ctx, { by: JULIET, address: answer }).catch(() => {})
    assert.equal(await holdOf(ctx, answer), 'removed')
    assert.deepEqual(new Set(told), new Set([postTopic(POST), roomTopic(talk.service)]))
  })

  it('is told of by the name that its writer has there, and by no other', async () => {
    await using ctx = await openRoom()
    const entry = await findNewsEntry(ctx.index, answer)
    assert.ok(entry)
    const [news] = await listAudience(ctx, entry)
    assert.equal(news?.actorName, 'Mercutio')
    const { service, node, item } = answer
    const row = { id: 1, kind: 'mention', service, node, item, actor: ROMEO, text: '', at: '', readAt: null } as const
    const place = { postService: POST.service, postNode: POST.node, postItem: POST.item }
    const [group] = groupNotices([{ ...row, ...place, actorName: null }])
    assert.deepEqual([group?.names, group?.actor], [[], undefined])
  })
})

describe('a service that is only said to have a comment of the site', () => {
  const blog: NodeAddress = { service: MALLORY, node: 'urn:xmpp:microblog:0' }
  const thread: NodeAddress = { service: MALLORY, node: 'urn:xmpp:microblog:0:comments/hers' }

  function write(ctx: TestContext, contributor: Contributor) {
    const payload = entryOf({ author: ctx.siteJid })
    payload.cnode(writeContributor(contributor))
    return payload
  }

  async function read(ctx: TestContext, item: string, contributor: Contributor): Promise<string | null> {
    const payload = write(ctx, contributor)
    const address = itemOf(thread, item)
    assert.equal(await publishTo(ctx, address, { payload, publisher: ctx.siteJid }), 'stored')
    return (await findJudged(ctx.index, address))?.contributor ?? null
  }

  it('is not believed about whose words the site published, but for the mark of the site', async () => {
    await using ctx = await open()
    await addNode(ctx.index, { address: blog, kind: 'blog', owner: MALLORY, now: ctx.clock() })
    const post = itemOf(blog, 'hers')
    await publishTo(ctx, post, { payload: entryOf({ more: commentsLink(thread) }), publisher: MALLORY })
    const romeo = { jid: ROMEO, how: 'message' } as const
    const mark = markWords(ctx, itemOf(thread, 'own'), write(ctx, romeo))
    assert.ok(mark)
    assert.equal(await read(ctx, 'none', romeo), null)
    assert.equal(await read(ctx, 'copied', { ...romeo, mark }), null)
    assert.equal(await read(ctx, 'own', { ...romeo, jid: JULIET, mark }), null)
    assert.equal(await read(ctx, 'own', { ...romeo, mark }), ROMEO)
  })
})

describe('a first comment', () => {
  it('is held for whatever leads elsewhere, however it is written, and not for whom it names', async () => {
    await using ctx = await open()
    const hold = async (html: string, n: number) => {
      const address = itemOf(THREAD, `l${n}`)
      const more = `<content type='html'>${html.replaceAll('<', '&lt;')}</content>`
      const payload = xml(
        String(entryOf({ author: `a${n}@evil.example`, more })).replace(/<content type="text">[^<]*<.content>/, ''),
      )
      await publishTo(ctx, address, { payload, publisher: `a${n}@evil.example` })
      return holdOf(ctx, address)
    }
    const link = (href: string) => `<a href="${href}">x</a>`
    const bad = ['https:evil.example', ' HTTP:/evil.example', 'mailto:a@b.example', 'tel:1', 'xmpp:r@b.example?join']
    for (const [n, href] of bad.entries()) assert.equal(await hold(link(href), n), 'held', href)
    assert.equal(await hold('<img src="https:evil.example/x.png"/>', 10), 'held')
    for (const [n, href] of [`xmpp:${JULIET}`, '#top'].entries())
      assert.equal(await hold(link(href), 20 + n), null, href)
  })
})
