import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import {
  type OutboxRow,
  queueComment,
  queueDelete,
  queuePost,
  queueRemoveComment,
  queueSettings,
  relink,
} from '#server/feeds/outbox.ts'
import { findBlog } from '#server/store/blog.ts'
import { listComments } from '#server/store/comment.ts'
import { findDraft, saveDraft } from '#server/store/draft.ts'
import { findOutboxRow, listOutbox, listOutboxOf, updateOutboxRow } from '#server/store/outbox.ts'
import { findPost, type PostRow } from '#server/store/post.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type PostDraft, readEntry } from '#shared/entry.ts'
import { NS } from '#shared/ns.ts'
import { isRemovedEntry, writeRemoved } from '#shared/removed-entry.ts'
import { createTestContext, jidOf, type TestContext, type TestContextOptions } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET, MALLORY, ROMEO } from './fixtures.ts'

const BENVOLIO = jidOf('benvolio@capulet.example')

function draftOf(words: Partial<PostDraft> = {}): PostDraft {
  return { title: 'Hello', text: 'A *text*', tags: ['love'], language: 'en', summary: '', comments: true, ...words }
}

interface Writer {
  readonly ctx: TestContext
  readonly juliet: FakeSession
}

async function startWriting(options: TestContextOptions = {}): Promise<Writer & AsyncDisposable> {
  const ctx = await createTestContext(options)
  const juliet = ctx.signIn(JULIET)
  await addAuthor(ctx, JULIET)
  await ctx.indexing.start()
  await ctx.outbox.start()
  return { ctx, juliet, [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose]() }
}

async function settled(ctx: TestContext, row: OutboxRow, status: OutboxRow['status'] = 'done'): Promise<OutboxRow> {
  const last = await ctx.outbox.settle(row.id, 30_000)
  assert.equal(last.status, status, last.problem)
  return last
}

async function postOf(ctx: TestContext, row: OutboxRow): Promise<PostRow> {
  const post = await findPost(ctx.index, row.address)
  assert.ok(post !== undefined && post !== 'gone')
  return post
}

async function publishOne(ctx: TestContext, key = 'form', words: Partial<PostDraft> = {}): Promise<PostRow> {
  return postOf(ctx, await settled(ctx, await queuePost(ctx, { author: JULIET, key, draft: draftOf(words) })))
}

function countItems(ctx: TestContext, node: string = BLOG.node): number {
  return [...ctx.network.nodes.values()].filter((found) => found.address.node === node)[0]?.items.size ?? 0
}

/** Counts what is really sent. */
function countPublications(session: FakeSession): { count: number } {
  const counter = { count: 0 }
  const { publishItem } = session.pubsub
  session.pubsub.publishItem = (...args) => {
    counter.count++
    return publishItem(...args)
  }
  return counter
}

describe('a post', () => {
  it('is in node and index when its row is done, with comments to follow', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const post = await publishOne(ctx)
    assert.equal(post.title, 'Hello')
    assert.deepEqual(post.author, { jid: JULIET, name: 'juliet' })
    assert.match(post.address.item, /^hello-[a-z0-9]{8}$/)
    assert.equal(post.alternate, `https://blog.example/@juliet/${post.address.item}`)
    assert.deepEqual(post.comments, { service: JULIET, node: `urn:xmpp:microblog:0:comments/${post.address.item}` })
    assert.equal(countItems(ctx), 1)
  })

  it('has its comments on the PubSub service of its server where that lets it', async () => {
    await using writer = await startWriting()
    const service = jidOf('pubsub.capulet.example')
    writer.juliet.services = { pep: true, pubsub: service }
    assert.equal((await publishOne(writer.ctx, 'one')).comments?.service, service)
    writer.ctx.network.failNext('createNode', new AppError('forbidden', 'Only admins'))
    writer.ctx.network.failNext('createNode', new AppError('forbidden', 'Only admins'))
    assert.equal((await publishOne(writer.ctx, 'two')).comments?.service, JULIET)
    writer.ctx.network.failNext('createNode', new AppError('timeout', 'The service does not answer'))
    assert.equal((await publishOne(writer.ctx, 'three')).comments?.service, JULIET)
  })

  it('gives its comments another name where that is taken, and takes none where they are off', async () => {
    await using writer = await startWriting()
    const service = jidOf('pubsub.capulet.example')
    writer.juliet.services = { pep: true, pubsub: service }
    await publishOne(writer.ctx, 'first')
    writer.ctx.network.failNext('readConfig', new AppError('forbidden', 'Not yours'))
    const { comments, address } = await publishOne(writer.ctx)
    assert.match(comments?.node ?? '', new RegExp(`comments/${address.item}-[0-9a-f]{4}$`))
    assert.equal((await publishOne(writer.ctx, 'two', { comments: false })).comments, undefined)
  })

  it('waits for its author to be signed in, and says so', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    ctx.signOut(JULIET)
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    const waiting = await until(async () => {
      const [found] = await listOutbox(ctx.state, JULIET)
      return found?.problem === undefined ? undefined : found
    })
    assert.equal(waiting.reason, 'signed-out')
    assert.match(waiting.problem ?? '', /signed in/)
    ctx.signIn(MALLORY)
    ctx.signIn(JULIET)
    await settled(ctx, row)
    assert.equal((await postOf(ctx, row)).author?.jid, JULIET)
  })

  it('counts once for a double click, the back button and two tabs with one form', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const post = { author: JULIET, key: 'form', draft: draftOf() }
    const rows = await Promise.all([queuePost(ctx, post), queuePost(ctx, post), queuePost(ctx, post)])
    await settled(ctx, rows[0])
    const again = await queuePost(ctx, post)
    assert.equal(new Set([...rows, again].map(({ id }) => id)).size, 1)
    assert.equal(countItems(ctx), 1)
  })

  it('is changed by its form sent once more with another text', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const first = await publishOne(ctx)
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf({ text: 'Another' }) })
    const again = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf({ text: 'Another' }) })
    assert.equal(row.id, again.id)
    await settled(ctx, row)
    const post = await postOf(ctx, row)
    assert.equal(post.address.item, first.address.item)
    assert.match(post.html, /Another/)
    assert.equal(countItems(ctx), 1)
  })

  it('keeps id, date, comments and what we do not understand when it is edited', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const address = itemOf(BLOG, 'elsewhere')
    const thread: NodeAddress = { service: JULIET, node: 'urn:xmpp:microblog:0:comments/elsewhere' }
    const more = `<link rel='replies' title='comments' href='xmpp:${JULIET}?;node=${thread.node}'/><geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>45.4</lat></geoloc>`
    await juliet.pubsub.publishItem(address, entryOf({ more, author: JULIET }))
    const before = await until(async () => {
      const post = await findPost(ctx.index, address)
      return post === 'gone' ? undefined : post
    })
    const edit = { author: JULIET, key: 'edit', draft: draftOf(), edits: address, baseUpdated: before.updated }
    const row = await queuePost(ctx, edit)
    await settled(ctx, row)
    const after = await postOf(ctx, row)
    assert.equal(after.title, 'Hello')
    assert.equal(after.atomId, before.atomId)
    assert.deepEqual(after.published, before.published)
    assert.ok(after.updated > before.updated)
    assert.deepEqual(after.comments, thread)
    assert.match(after.payload, /<lat>45.4<\/lat>/)
  })

  it('tells the second of two tabs that it is behind, and keeps its text', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const post = await publishOne(ctx)
    const edit = (key: string, text: string) =>
      queuePost(ctx, { author: JULIET, key, draft: draftOf({ text }), edits: post.address, baseUpdated: post.updated })
    const [tab1, tab2] = await Promise.allSettled([edit('tab 1', 'First'), edit('tab 2', 'Second')])
    assert.equal(tab2?.status === 'rejected' && tab2.reason.code, 'conflict')
    const first = tab1?.status === 'fulfilled' ? tab1.value : assert.fail()
    await settled(ctx, first)
    await assert.rejects(edit('tab 3', 'Third'), { code: 'conflict' })
    assert.equal((await findDraft(ctx.state, JULIET, 'tab 2'))?.text, 'Second')
    assert.match((await postOf(ctx, first)).html, /First/)
  })

  it('leaves a version alone that another client wrote meanwhile', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    ctx.site.setStatus('connecting')
    const newer = new Date(post.updated.getTime() + 1).toISOString()
    await juliet.pubsub.publishItem(post.address, entryOf({ title: 'By Movim', updated: newer }))
    const edit = { author: JULIET, key: 'edit', draft: draftOf({ text: 'Mine' }), edits: post.address }
    const row = await queuePost(ctx, { ...edit, baseUpdated: post.updated })
    const last = await settled(ctx, row, 'refused')
    assert.equal(last.reason, 'conflict')
    assert.equal((await findDraft(ctx.state, JULIET, 'edit'))?.text, 'Mine')
    assert.match(String((await juliet.pubsub.findItem(post.address))?.payload), /By Movim/)
  })

  it('is edited after a client whose clock was ahead, as that was seen', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    const later = (hours: number) => new Date(post.updated.getTime() + hours * 3_600_000).toISOString()
    ctx.setNow(later(1))
    await juliet.pubsub.publishItem(post.address, entryOf({ title: 'By Movim', updated: later(2) }))
    await until(async () => {
      const seen = await findPost(ctx.index, post.address)
      return typeof seen === 'object' && seen.title === 'By Movim'
    })
    ctx.setNow(later(3))
    const edit = { author: JULIET, key: 'edit', draft: draftOf({ text: 'Mine' }), edits: post.address }
    await settled(ctx, await queuePost(ctx, edit))
    assert.match(String((await juliet.pubsub.findItem(post.address))?.payload), /Mine/)
  })

  it('is not brought back by an edit after another client deleted it', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    ctx.site.setStatus('connecting')
    await juliet.pubsub.retractItem(post.address)
    const edit = { author: JULIET, key: 'edit', draft: draftOf(), edits: post.address, baseUpdated: post.updated }
    assert.equal((await settled(ctx, await queuePost(ctx, edit), 'refused')).reason, 'gone')
    assert.equal(countItems(ctx), 0)
  })

  it('is deleted with its comments', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const post = await publishOne(ctx)
    await assert.rejects(queueDelete(ctx, { author: MALLORY, address: post.address }), { code: 'forbidden' })
    const rows = await Promise.all([1, 2].map(() => queueDelete(ctx, { author: JULIET, address: post.address })))
    assert.equal(rows[0]?.id, rows[1]?.id)
    await settled(ctx, rows[0] as OutboxRow)
    assert.equal(await findPost(ctx.index, post.address), 'gone')
    assert.equal((await queueDelete(ctx, { author: JULIET, address: post.address })).id, rows[0]?.id)
    assert.deepEqual(
      [...ctx.network.nodes.values()].map(({ address }) => address.node),
      [BLOG.node],
    )
  })

  it('that never went out is taken back without a trace', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    ctx.signOut(JULIET)
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await queueDelete(ctx, { author: JULIET, address: row.address })
    const sent = countPublications(ctx.signIn(JULIET))
    await until(async () => (await listOutbox(ctx.state, JULIET)).length === 0)
    assert.equal(sent.count, 0)
  })

  it('too long for the server is refused before it is sent, and is a draft again', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const sent = countPublications(juliet)
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf({ text: 'x'.repeat(300_000) }) })
    const last = await settled(ctx, row, 'refused')
    assert.match(last.problem ?? '', /too long for your server/)
    assert.equal((await findDraft(ctx.state, JULIET, 'form'))?.text.length, 300_000)
    assert.equal(sent.count, 0)
    const shorter = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await settled(ctx, shorter)
    assert.equal(countItems(ctx), 1)
  })

  it('that ends the connection each time is taken for too long', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    await publishOne(ctx, 'first')
    const sent = countPublications(juliet)
    juliet.pubsub.publishItem = async () => {
      sent.count++
      throw new AppError('unavailable', 'The connection was lost')
    }
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf({ text: 'x '.repeat(25_000) }) })
    const timer = setInterval(() => juliet.setStatus('online'), 20)
    const last = await ctx.outbox.settle(row.id, 30_000)
    clearInterval(timer)
    assert.match(last.problem ?? '', /too long for your server/)
    assert.equal(sent.count, 5)
  })

  it('that the server refuses for good stops with what it said', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    await publishOne(ctx, 'first')
    ctx.network.failNext('publishItem', new AppError('forbidden', 'capulet.example refuses this by its policy'))
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    const last = await settled(ctx, row, 'refused')
    assert.equal(last.problem, 'capulet.example refuses this by its policy')
    assert.deepEqual(
      (await listOutbox(ctx.state, JULIET)).map(({ id }) => id),
      [row.id],
    )
  })

  it('ends its draft when it is out, and not before', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const words = { ...draftOf(), tags: 'love' }
    await saveDraft(ctx.state, { id: 'form', jid: JULIET, ...words, updatedAt: new Date() })
    juliet.setStatus('waiting')
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await until(async () => (await findOutboxRow(ctx.state, row.id))?.problem !== undefined)
    assert.ok(await findDraft(ctx.state, JULIET, 'form'))
    juliet.setStatus('online')
    await settled(ctx, row)
    assert.equal(await findDraft(ctx.state, JULIET, 'form'), undefined)
  })

  it('leaves what was typed into its form since then', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    juliet.setStatus('waiting')
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await saveDraft(ctx.state, {
      ...{ ...draftOf(), tags: 'love', id: 'form', jid: JULIET, updatedAt: new Date() },
      text: 'A longer *text*',
    })
    juliet.setStatus('online')
    await settled(ctx, row)
    assert.equal((await findDraft(ctx.state, JULIET, 'form'))?.text, 'A longer *text*')
  })
})

describe('a retry', () => {
  it('reads the item first, and does not publish again what is there', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    await publishOne(ctx, 'first')
    const sent = countPublications(juliet)
    const { publishItem } = juliet.pubsub
    juliet.pubsub.publishItem = async (...args) => {
      await publishItem(...args)
      juliet.pubsub.publishItem = publishItem
      throw new AppError('timeout', 'The answer was lost')
    }
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await settled(ctx, row)
    assert.equal(sent.count, 1)
    assert.equal((await findOutboxRow(ctx.state, row.id))?.attempts, 1)
  })

  it('lets a newer version win', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    await publishOne(ctx, 'first')
    const { publishItem } = juliet.pubsub
    juliet.pubsub.publishItem = async (address, payload) => {
      juliet.pubsub.publishItem = publishItem
      await publishItem(address, payload)
      const later = new Date((readEntry(payload)?.updated?.getTime() ?? 0) + 1).toISOString()
      await publishItem(address, entryOf({ title: 'Newer', updated: later }))
      throw new AppError('timeout', 'The answer was lost')
    }
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await settled(ctx, row)
    assert.equal((await postOf(ctx, row)).title, 'Newer')
  })

  it('does not keep Canto from ending when the server no longer answers', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    await publishOne(ctx, 'first')
    const asked = Promise.withResolvers<void>()
    juliet.pubsub.publishItem = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    const row = await queuePost(ctx, { author: JULIET, key: 'form', draft: draftOf() })
    await asked.promise
    await ctx.outbox.stop()
    const last = await findOutboxRow(ctx.state, row.id)
    assert.equal(last?.status, 'waiting')
    assert.equal(last?.attempts, 1)
  })

  it('keeps the order of one item while others go on', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    await publishOne(ctx, 'first')
    ctx.network.failNext('publishItem', new AppError('timeout', 'Slow'))
    const create = await queuePost(ctx, { author: JULIET, key: 'a', draft: draftOf({ text: 'one' }) })
    const edit = await queuePost(ctx, { author: JULIET, key: 'a', draft: draftOf({ text: 'two' }) })
    const other = await queuePost(ctx, { author: JULIET, key: 'b', draft: draftOf() })
    assert.deepEqual(edit.address, create.address)
    const ended: number[] = []
    ctx.outbox.onChange(({ id }) => ended.push(id))
    await Promise.all([create, edit, other].map((row) => settled(ctx, row)))
    assert.ok(ended.indexOf(create.id) < ended.indexOf(edit.id))
    assert.match((await postOf(ctx, edit)).html, /two/)
  })

  it('sends again what was acknowledged just before the connection dropped and is not there', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const kept = await publishOne(ctx, 'kept')
    const lost = await publishOne(ctx, 'lost')
    const old = await publishOne(ctx, 'old')
    const rows = await ctx.state.selectFrom('outbox').selectAll().execute()
    const oldRow = rows.find(({ item }) => item === old.address.item)
    const longAgo = new Date(Date.now() - 60_000)
    await updateOutboxRow(ctx.state, oldRow?.id ?? 0, { acknowledgedAt: longAgo })
    const sent = countPublications(juliet)
    juliet.setStatus('waiting')
    const node = [...ctx.network.nodes.values()].find(({ address }) => address.node === BLOG.node)
    for (const post of [lost, old]) node?.items.delete(post.address.item)
    juliet.setStatus('online')
    await until(() => node?.items.has(lost.address.item))
    assert.equal(node?.items.has(kept.address.item), true)
    assert.equal(sent.count, 1)
  })

  it('does not look again and again at what was there after a drop, nor after one that the stream outlived', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    const acknowledgedAt = async () => {
      const [row] = await listOutboxOf(ctx.state, post.address)
      assert.ok(row?.acknowledgedAt)
      return row.acknowledgedAt.getTime()
    }
    const looks = () => ctx.network.asked.filter(({ method }) => method === 'findItem').length
    const [first, before] = [await acknowledgedAt(), looks()]
    juliet.setStatus('waiting')
    juliet.setStatus('online')
    await until(() => looks() > before)
    await publishOne(ctx, 'another')
    assert.equal(await acknowledgedAt(), first, 'its last seconds of doubt are not begun again')

    const after = looks()
    Object.defineProperty(juliet, 'lastSignIn', { value: 'resumed' })
    juliet.setStatus('waiting')
    juliet.setStatus('online')
    await publishOne(ctx, 'a third')
    assert.equal(looks(), after)
  })

  it('does not bring back what was deleted since', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    // A blog that was read empty before would be hidden for a day.
    const blog = [...ctx.network.nodes.values()].find(({ address }) => address.node === NS.MICROBLOG)
    await until(() => blog?.subscribers.has(ctx.siteJid))
    await juliet.pubsub.retractItem(post.address)
    await until(async () => (await findPost(ctx.index, post.address)) === 'gone')
    juliet.setStatus('waiting')
    juliet.setStatus('online')
    await publishOne(ctx, 'another')
    assert.equal(await juliet.pubsub.findItem(post.address), undefined)
  })
})

describe('a comment', () => {
  it('is published by its author, once, and removed by its author or the author of the post', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    ctx.signIn(ROMEO)
    const post = await publishOne(ctx)
    const comment = { author: ROMEO, post: post.address, text: 'Hail\n\nto thee' }
    const rows = await Promise.all(['c1', 'c1', 'c2'].map((key) => queueComment(ctx, { ...comment, key })))
    for (const row of rows) await settled(ctx, row)
    const comments = await listComments(ctx.index, post.comments as NodeAddress)
    assert.equal(comments.length, 2)
    assert.equal(comments[0]?.author?.jid, ROMEO)
    assert.equal(comments[0]?.credit, 'credited')
    const [first, second] = comments.map(({ address }) => address)
    assert.ok(first && second)
    await assert.rejects(queueRemoveComment(ctx, { by: MALLORY, address: first }), { code: 'forbidden' })
    await settled(ctx, await queueRemoveComment(ctx, { by: JULIET, address: first }))
    // The fake, as Prosody, lets only the owner retract: so this goes by way of Juliet.
    await settled(ctx, await queueRemoveComment(ctx, { by: ROMEO, address: second }))
    assert.equal((await listComments(ctx.index, post.comments as NodeAddress)).length, 0)
    assert.equal(countItems(ctx, post.comments?.node), 0)
  })

  it('is emptied by its author where only the author of the post may remove it, who is asked where they are here', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const romeo = ctx.signIn(ROMEO)
    const post = await publishOne(ctx)
    const thread = post.comments as NodeAddress
    const write = async (key: string) =>
      (await settled(ctx, await queueComment(ctx, { author: ROMEO, key, post: post.address, text: 'Oops' }))).address
    const [first, second] = [await write('c'), await write('d')]
    ctx.signOut(JULIET)
    const removal = await queueRemoveComment(ctx, { by: ROMEO, address: first })
    const last = await settled(ctx, removal)
    assert.deepEqual([last.account, last.reason, last.problem], [ROMEO, 'emptied', undefined])
    const left = (await romeo.pubsub.findItem(first))?.payload
    assert.ok(left && isRemovedEntry(left))
    assert.doesNotMatch(left.toString(), /Oops/)
    assert.deepEqual(
      (await listComments(ctx.index, thread)).map(({ address }) => address.item),
      [second.item],
    )
    await ctx.indexing.reindex()
    assert.equal((await listComments(ctx.index, thread)).length, 1)
    ctx.signIn(JULIET)
    assert.equal((await settled(ctx, await queueRemoveComment(ctx, { by: ROMEO, address: second }))).account, JULIET)
    assert.equal(await romeo.pubsub.findItem(second), undefined)
    assert.equal((await listComments(ctx.index, thread)).length, 0)
  })

  /** Romeo's comment under a post of Juliet's, who is not here. */
  async function startRemoving(ctx: TestContext) {
    ctx.signIn(ROMEO)
    const post = await publishOne(ctx)
    const thread = post.comments as NodeAddress
    const sent = await queueComment(ctx, { author: ROMEO, key: 'c', post: post.address, text: 'Oops' })
    const { address } = await settled(ctx, sent)
    ctx.signOut(JULIET)
    const node = [...ctx.network.nodes.values()].find((each) => each.address.node === thread.node)
    assert.ok(node)
    const remove = async () => ctx.outbox.settle((await queueRemoveComment(ctx, { by: ROMEO, address })).id, 5_000)
    return { thread, address, node, remove }
  }

  it('waits for nobody where it is gone already, which its service does not say', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const { thread, address, node, remove } = await startRemoving(ctx)
    node.items.delete(address.item)
    const last = await remove()
    assert.deepEqual([last.account, last.status, last.reason], [ROMEO, 'done', undefined])
    assert.equal((await listComments(ctx.index, thread)).length, 0)
  })

  it('waits for nobody where it was emptied and this site may not see it', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const { address, node, remove } = await startRemoving(ctx)
    node.affiliations.set(ctx.siteJid, 'outcast')
    const last = await remove()
    assert.deepEqual([last.account, last.status, last.reason], [ROMEO, 'done', 'unseen'])
    assert.match(last.problem ?? '', /emptied.*This site may not read it/)
    const left = node.items.get(address.item)?.payload
    assert.ok(left && isRemovedEntry(left))
  })

  it('is emptied where its service names no publisher', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const { thread, remove } = await startRemoving(ctx)
    await ctx.index.updateTable('entry').set({ publisher: null }).where('author', '=', ROMEO).execute()
    const last = await remove()
    assert.deepEqual([last.account, last.status, last.reason], [ROMEO, 'done', 'emptied'])
    assert.equal((await listComments(ctx.index, thread)).length, 0)
  })

  it('does not wait for an owner who never signed in here, where its service lets nobody else remove it', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const { remove } = await startRemoving(ctx)
    ctx.network.failNext('publishItem', new AppError('forbidden', 'It lets only its owner write'))
    const last = await remove()
    assert.deepEqual([last.account, last.status, last.reason], [ROMEO, 'refused', 'forbidden'])
  })

  it('of another is emptied by nobody', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    ctx.signIn(ROMEO)
    const mallory = ctx.signIn(MALLORY)
    const post = await publishOne(ctx)
    const comment = await queueComment(ctx, { author: ROMEO, key: 'c', post: post.address, text: 'Hail' })
    const { address } = await settled(ctx, comment)
    const payload = (await mallory.pubsub.findItem(address))?.payload
    assert.ok(payload)
    await mallory.pubsub.publishItem(address, writeRemoved(payload, ctx.clock()))
    await ctx.indexing.idle()
    await ctx.indexing.inbox.idle()
    assert.equal((await listComments(ctx.index, post.comments as NodeAddress)).length, 1)
  })

  it('on a post without comments is refused at once', async () => {
    await using writer = await startWriting()
    const { ctx } = writer
    const post = await publishOne(ctx, 'form', { comments: false })
    const comment = { author: ROMEO, key: 'c', post: post.address, text: 'Hail' }
    await assert.rejects(queueComment(ctx, comment), { code: 'forbidden' })
  })
})

describe('settings', () => {
  it('reach item 0, the node and the nickname, and name the author of older posts', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    const words = { title: 'Verona', description: 'Nights', name: 'Juliet C.', language: 'it' }
    await settled(ctx, await queueSettings(ctx, { author: JULIET, ...words }))
    const blog = await findBlog(ctx.index, BLOG)
    assert.equal(blog?.title, 'Verona')
    assert.equal(blog?.language, 'it')
    assert.equal(blog?.author.name, 'Juliet C.')
    assert.deepEqual(juliet.nicknames, ['Juliet C.'])
    assert.equal((await juliet.pubsub.readConfig(BLOG)).title, 'Verona')
    const again = await findPost(ctx.index, post.address)
    assert.equal(again !== undefined && again !== 'gone' && again.author?.name, 'Juliet C.')
  })

  it('of somebody without a blog are only a name', async () => {
    await using writer = await startWriting()
    const session = writer.ctx.signIn(BENVOLIO)
    const words = { title: 'x', description: '', name: 'Ben', language: '' }
    await settled(writer.ctx, await queueSettings(writer.ctx, { author: BENVOLIO, ...words }))
    assert.deepEqual(session.nicknames, ['Ben'])
    assert.equal(
      [...writer.ctx.network.nodes.values()].some(({ owner }) => owner === BENVOLIO),
      false,
    )
  })
})

describe('relink', () => {
  it('mends the link of every post of ours, with the same dates, and leaves others alone', async () => {
    await using writer = await startWriting()
    const { ctx, juliet } = writer
    const post = await publishOne(ctx)
    const elsewhere = itemOf(BLOG, 'elsewhere')
    const more = "<link rel='alternate' type='text/html' href='https://movim.example/node/x'/>"
    await juliet.pubsub.publishItem(elsewhere, entryOf({ more }))
    await until(async () => await findPost(ctx.index, elsewhere))
    ctx.config.url = new URL('https://verona.example')
    assert.equal(await relink(ctx), 1)
    await until(async () => (await listOutbox(ctx.state, JULIET)).length === 0)
    const after = await findPost(ctx.index, post.address)
    assert.ok(after !== undefined && after !== 'gone')
    assert.equal(after.alternate, `https://verona.example/@juliet/${post.address.item}`)
    assert.deepEqual([after.atomId, after.published, after.updated], [post.atomId, post.published, post.updated])
    assert.equal(await relink(ctx), 0)
  })
})
