import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createNotifier } from '#server/feeds/notify/notifier.ts'
import { notify } from '#server/feeds/notify/notify.ts'
import { lookAgain, scanNews } from '#server/feeds/notify/scan.ts'
import { saveAccount } from '#server/store/account.ts'
import { clearIndex } from '#server/store/clear.ts'
import { saveBlock } from '#server/store/community.ts'
import { addNode } from '#server/store/node.ts'
import { countUnread, listNotifications, markPostRead, saveNotifiesByMessage } from '#server/store/notification.ts'
import { saveThreadWish } from '#server/store/thread-wish.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { createTestContext, jidOf, type TestContext, type TestContextOptions } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from '../fixtures.ts'

const POST = itemOf(BLOG, 'balcony')
const NURSE = jidOf('nurse@capulet.example')

/** Juliet's post with its thread; she, Romeo and the nurse have signed in here. */
async function createHouse(options?: TestContextOptions): Promise<TestContext> {
  const ctx = await createTestContext(options)
  for (const jid of [JULIET, ROMEO, NURSE]) await know(ctx, jid)
  await knowBlog(ctx)
  const payload = entryOf({ author: JULIET, more: commentsLink(THREAD), published: new Date().toISOString() })
  await publishTo(ctx, POST, { payload, publisher: JULIET })
  await scanNews(ctx)
  return ctx
}

function know({ state }: TestContext, jid: BareJid): Promise<void> {
  return saveAccount(state, { jid, userAgentId: jid, createdAt: new Date() })
}

interface SampleComment {
  readonly item: string
  readonly by?: BareJid
  /** The name that its author goes by. */
  readonly name?: string
  readonly to?: string
  readonly text?: string
}

async function comment(
  ctx: TestContext,
  { item, by = ROMEO, to, name, text = `I am ${item}` }: SampleComment,
): Promise<ItemAddress> {
  const address = itemOf(THREAD, item)
  const href = `xmpp:${THREAD.service}?;node=${THREAD.node};item=${to}`
  const more = to && `<in-reply-to xmlns='http://purl.org/syndication/thread/1.0' ref='${to}' href='${href}'/>`
  const words = { title: text, text, author: by, name, more, published: new Date().toISOString() }
  await publishTo(ctx, address, { payload: entryOf(words), publisher: by })
  return address
}

async function heard({ state }: TestContext, jid: BareJid): Promise<string[]> {
  const rows = await listNotifications(state, jid, { limit: 2_000 })
  return rows.map(({ kind, item, actor }) => `${kind} ${item} ${actor.split('@')[0]}`).reverse()
}

async function addReactions({ index, clock }: TestContext, reactors: readonly string[], emoji = '♥'): Promise<void> {
  const at = clock().getTime()
  const rows = reactors.map((name) => ({
    ...POST,
    ...{ reactor: `${name}@x.example` as BareJid, emoji, at, arrivedAt: at, hold: null },
    ...{ sourceService: JULIET, sourceNode: 'attachments', sourceItem: itemOf(BLOG, name).item },
  }))
  for (let from = 0; from < rows.length; from += 1_000) {
    await index
      .insertInto('reaction')
      .values(rows.slice(from, from + 1_000))
      .execute()
  }
}

describe('what is new', () => {
  it('is told to the owner of the post, and to whom is answered', async () => {
    await using ctx = await createHouse()
    await comment(ctx, { item: 'first' })
    await comment(ctx, { item: 'second', by: NURSE, to: 'first' })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), ['comment first romeo', 'comment second nurse'])
    assert.deepEqual(await heard(ctx, ROMEO), ['reply second nurse'])
    assert.deepEqual(await heard(ctx, NURSE), [])
  })

  it('is nobody’s own doing, and nothing for those who never signed in', async () => {
    await using ctx = await createHouse()
    await comment(ctx, { item: 'own', by: JULIET })
    await comment(ctx, { item: 'a', by: jidOf('stranger@x.example') })
    await comment(ctx, { item: 'b', to: 'a' })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), ['comment a stranger', 'comment b romeo'])
    assert.deepEqual(await heard(ctx, jidOf('stranger@x.example')), [])
  })

  it('is told once, though it is looked at again, changes, and the index is built anew', async () => {
    await using ctx = await createHouse()
    await comment(ctx, { item: 'first' })
    for (let n = 0; n < 3; n += 1) await scanNews(ctx)
    await comment(ctx, { item: 'first', text: 'Other words' })
    await lookAgain(ctx, [itemOf(THREAD, 'first')])
    await clearIndex(ctx.index)
    await knowBlog(ctx)
    const payload = entryOf({ author: JULIET, more: commentsLink(THREAD) })
    await publishTo(ctx, POST, { payload, publisher: JULIET }, { isHistory: true })
    await comment(ctx, { item: 'first', text: 'Other words' })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), ['comment first romeo'])
  })

  it('is no history: what was there when a node was first read tells nobody', async () => {
    await using ctx = await createHouse()
    const words = { author: ROMEO, published: '2020-01-01T00:00:00Z' }
    await publishTo(ctx, itemOf(THREAD, 'old'), { payload: entryOf(words), publisher: ROMEO }, { isHistory: true })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), [])
  })

  it('is found after a crash between the index and the notification', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'canto-notify-'))
    try {
      const paths = { indexPath: join(folder, 'index.sqlite'), statePath: join(folder, 'state.sqlite') }
      {
        await using ctx = await createHouse(paths)
        await comment(ctx, { item: 'told' })
        await scanNews(ctx)
        await comment(ctx, { item: 'untold' })
      }
      await using ctx = await createTestContext(paths)
      await scanNews(ctx)
      assert.deepEqual(await heard(ctx, JULIET), ['comment told romeo', 'comment untold romeo'])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('is found in an index that was thrown away and counts from the beginning', async () => {
    await using ctx = await createHouse()
    for (let n = 0; n < 5; n += 1) await comment(ctx, { item: `c${n}` })
    await scanNews(ctx)
    await using fresh = await createTestContext()
    await knowBlog(fresh)
    const payload = entryOf({ author: JULIET, more: commentsLink(THREAD) })
    await publishTo(fresh, POST, { payload, publisher: JULIET })
    await comment(fresh, { item: 'later' })
    await scanNews({ ...ctx, index: fresh.index })
    assert.ok((await heard(ctx, JULIET)).includes('comment later romeo'))
  })

  it('waits while it is held, is told when it is approved, and is taken back when it is removed', async () => {
    await using ctx = await createHouse()
    const address = await comment(ctx, { item: 'held' })
    await ctx.index.updateTable('entry').set({ hold: 'held' }).where('item', '=', address.item).execute()
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), [])
    const arrivedAt = ctx.clock().getTime()
    await ctx.index.updateTable('entry').set({ hold: null, arrivedAt }).where('item', '=', address.item).execute()
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), ['comment held romeo'])
    await ctx.index.updateTable('entry').set({ hold: 'removed' }).where('item', '=', address.item).execute()
    await lookAgain(ctx, [address])
    assert.deepEqual(await heard(ctx, JULIET), [])
  })

  it('is told to who follows a thread, and not to who has muted it', async () => {
    await using ctx = await createHouse()
    const now = ctx.clock()
    await saveThreadWish(ctx.state, NURSE, { post: POST, wish: 'follow', now })
    await saveThreadWish(ctx.state, JULIET, { post: POST, wish: 'mute', now })
    await comment(ctx, { item: 'first' })
    await addReactions(ctx, ['paris'])
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, NURSE), ['comment first romeo'])
    assert.deepEqual(await heard(ctx, JULIET), [])
    await saveThreadWish(ctx.state, NURSE, { post: POST, wish: undefined, now })
    await comment(ctx, { item: 'second' })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, NURSE), ['comment first romeo'])
  })

  it('is nothing that somebody does whom one has blocked, by account or by server', async () => {
    await using ctx = await createHouse()
    await comment(ctx, { item: 'mine', by: NURSE })
    const blog = { ...BLOG, service: NURSE }
    await saveBlock(ctx.state, { address: blog, jid: jidOf('montague.example'), by: NURSE, since: ctx.clock() })
    await comment(ctx, { item: 'answer', to: 'mine' })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, NURSE), [])
  })

  it('is a mention in a comment or a post, of a thousand people at most those who are here', async () => {
    await using ctx = await createHouse()
    const names = Array.from({ length: 1_000 }, (_, n) => `p${n}@x.example`)
    const more = [NURSE, JULIET, ...names]
      .map((jid) => `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${jid}'/>`)
      .join('')
    const words = { author: ROMEO, more, published: new Date().toISOString() }
    await publishTo(ctx, itemOf(THREAD, 'calls'), { payload: entryOf(words), publisher: ROMEO })
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, NURSE), ['mention calls romeo'])
    assert.deepEqual(await heard(ctx, JULIET), ['mention calls romeo'])
    assert.equal((await ctx.state.selectFrom('notification').select('id').execute()).length, 2)
  })

  it('is a repost, told to who wrote the original', async () => {
    await using ctx = await createHouse()
    const blog = { ...BLOG, service: ROMEO }
    await addNode(ctx.index, { address: blog, kind: 'blog', owner: ROMEO, now: ctx.clock() })
    await publishTo(ctx, itemOf(blog, 'again'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    const via = { viaService: POST.service, viaNode: POST.node, viaItem: POST.item }
    await ctx.index.updateTable('entry').set(via).where('item', '=', asItemId('again')).execute()
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), ['repost again romeo'])
  })

  it('is each reaction, once however often it is taken back', async () => {
    await using ctx = await createHouse()
    await addReactions(ctx, ['romeo'])
    await scanNews(ctx)
    await ctx.index.deleteFrom('reaction').execute()
    await addReactions(ctx, ['romeo'])
    await addReactions(ctx, ['romeo'], '😀')
    await scanNews(ctx)
    assert.deepEqual(await heard(ctx, JULIET), ['reaction balcony romeo', 'reaction balcony romeo'])
  })

  it('of ten thousand reactions is bounded, and ends no comment', async () => {
    await using ctx = await createHouse()
    await comment(ctx, { item: 'first' })
    const reactors = Array.from({ length: 10_000 }, (_, n) => `reactor${n}`)
    await addReactions(ctx, reactors)
    await scanNews(ctx)
    await scanNews(ctx)
    const all = await heard(ctx, JULIET)
    assert.equal(all.filter((row) => row.startsWith('reaction')).length, 300)
    assert.ok(all.includes('comment first romeo'))
  })

  it('counts as read once the post was opened', async () => {
    await using ctx = await createHouse()
    await comment(ctx, { item: 'first' })
    await addReactions(ctx, ['paris'])
    await scanNews(ctx)
    assert.equal(await countUnread(ctx.state, JULIET, 100), 2)
    assert.equal(await markPostRead(ctx.state, JULIET, { post: POST, now: ctx.clock() }), 2)
    assert.equal(await countUnread(ctx.state, JULIET, 100), 0)
  })
})

describe('the notifier', () => {
  const startNotifier = (ctx: TestContext) => {
    const people = () => []
    const notifier = createNotifier({ ...ctx, people })
    notifier.start()
    return { notifier, [Symbol.asyncDispose]: () => notifier.stop() }
  }

  it('hears of a comment by itself', async () => {
    await using ctx = await createHouse()
    await using _ = startNotifier(ctx)
    await comment(ctx, { item: 'first' })
    await until(async () => (await heard(ctx, JULIET)).length === 1)
  })

  it('sends one message for all that came at once, to who wishes for them, and never again', async () => {
    await using ctx = await createHouse()
    await saveNotifiesByMessage(ctx.state, JULIET, true, ctx.clock())
    await comment(ctx, { item: 'first' })
    await comment(ctx, { item: 'second', by: NURSE, to: 'first' })
    await addReactions(
      ctx,
      Array.from({ length: 2_000 }, (_, n) => `reactor${n}`),
    )
    await scanNews(ctx)
    {
      await using started = startNotifier(ctx)
      await started.notifier.idle()
    }
    const [message, ...others] = ctx.site.sent
    assert.deepEqual(others, [])
    assert.equal(message?.to, JULIET)
    assert.equal(message?.type, 'chat')
    const body = message?.body ?? ''
    assert.match(
      body,
      /romeo commented on “The balcony”: I am first\nhttps:\/\/blog\.example\/@juliet\/balcony\/comments\/first/,
    )
    assert.match(body, /reacted ♥ to “The balcony”/)
    assert.match(body, /298 others/)
    await using again = startNotifier(ctx)
    await again.notifier.idle()
    assert.equal(ctx.site.sent.length, 1)
  })

  it('sends no link that is only in a name', async () => {
    await using ctx = await createHouse()
    await saveNotifiesByMessage(ctx.state, JULIET, true, ctx.clock())
    await comment(ctx, { item: 'first', name: 'https://evil.example/login or www.evil.example', text: 'Hello' })
    await scanNews(ctx)
    await using started = startNotifier(ctx)
    await started.notifier.idle()
    const [line = '', address = ''] = (ctx.site.sent[0]?.body ?? '').split('\n')
    assert.match(line.replaceAll('\u2060', ''), /^https:\/\/evil\.example\/login or www\.evil\.example/)
    assert.doesNotMatch(line, /https?:\/\/|www\.\w|\w\.example|\w@\w/)
    assert.match(address, /^https:\/\/blog\.example\//)
  })

  it('sends nothing that was read meanwhile, and waits until the site is online', async () => {
    await using ctx = await createHouse()
    await saveNotifiesByMessage(ctx.state, JULIET, true, ctx.clock())
    ctx.site.setStatus('waiting')
    await using started = startNotifier(ctx)
    await comment(ctx, { item: 'first' })
    await started.notifier.idle()
    assert.equal(ctx.site.sent.length, 0)
    await markPostRead(ctx.state, JULIET, { post: POST, now: ctx.clock() })
    await comment(ctx, { item: 'second' })
    await started.notifier.idle()
    ctx.site.setStatus('online')
    await until(() => ctx.site.sent.length === 1)
    assert.match(ctx.site.sent[0]?.body ?? '', /second/)
    assert.doesNotMatch(ctx.site.sent[0]?.body ?? '', /first/)
  })

  it('tells of new followers, but not of those who were there first', async () => {
    await using ctx = await createHouse()
    const session = ctx.signIn(JULIET)
    await session.pubsub.createNode(BLOG, {})
    const subscribe = (jid: BareJid) => ctx.signIn(jid).pubsub.subscribeNode(BLOG)
    await subscribe(ROMEO)
    ctx.setNow('2026-11-22T08:00:00Z')
    await using started = startNotifier(ctx)
    await started.notifier.readFollowers(session)
    assert.deepEqual(await heard(ctx, JULIET), [])
    await subscribe(NURSE)
    await started.notifier.readFollowers(session)
    assert.deepEqual(await heard(ctx, JULIET), [], 'not sooner than every few hours')
    ctx.setNow('2026-11-22T12:00:00Z')
    await started.notifier.readFollowers(session)
    assert.deepEqual(await heard(ctx, JULIET), ['follower  nurse'])
  })
})

describe('a flood of spam', () => {
  it('ends nothing else that there is to know', async () => {
    await using ctx = await createHouse()
    const about = (kind: 'reply' | 'held' | 'mention', n: number) =>
      ({ jid: JULIET, kind, about: itemOf(THREAD, `${kind}${n}`), post: POST, actor: ROMEO, text: 'Hark' }) as const
    ctx.setNow('2026-03-01T12:00:00Z')
    await notify(ctx, [about('reply', 0)])
    ctx.setNow('2026-03-01T13:00:00Z')
    for (const kind of ['held', 'mention'] as const) {
      await notify(
        ctx,
        Array.from({ length: 1_200 }, (_, n) => about(kind, n)),
      )
    }
    const rows = await heard(ctx, JULIET)
    assert.deepEqual([rows[0], rows.length], ['reply reply0 romeo', 601])
  })
})
