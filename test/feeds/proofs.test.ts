import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sayCode } from '#server/feeds/proofs/code.ts'
import { queuePost } from '#server/feeds/queue.ts'
import { saveBlock } from '#server/store/community.ts'
import { findDecision } from '#server/store/decision.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { findProof } from '#server/store/proof.ts'
import { addSiteBlock } from '#server/store/site-block.ts'
import type { Message } from '#server/xmpp/ports.ts'
import { addressKey, asItemId, type ItemAddress } from '#shared/address.ts'
import { writeContributor } from '#shared/contributor.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { createElement, writeXml } from '#shared/xml.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { assertLinear } from '#test/support/growth.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET, knowBlog, MALLORY, publishTo, ROMEO } from './fixtures.ts'

const KEY = '00000000-0000-4000-8000-000000000001'

interface Scene extends AsyncDisposable {
  readonly ctx: TestContext
  readonly post: ItemAddress
  readonly thread: { readonly service: BareJid; readonly node: string }
  ask(more?: Partial<Parameters<TestContext['proofs']['ask']>[0]>): ReturnType<TestContext['proofs']['ask']>
  /** What somebody writes to the site account. */
  say(jid: BareJid, body: string, more?: Partial<Message>): void
  bodies(): (string | undefined)[]
}

async function open(): Promise<Scene> {
  const ctx = await createTestContext()
  ctx.setNow('2026-11-22T20:00:00Z')
  ctx.signIn(JULIET)
  await knowBlog(ctx)
  await ctx.proofs.start()
  await ctx.outbox.start()
  const draft = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }
  const row = await ctx.outbox.settle((await queuePost(ctx, { author: JULIET, key: 'post', draft })).id, 30_000)
  const found = await findPost(ctx.index, row.address)
  assert.ok(found !== undefined && found !== 'gone' && found.comments !== undefined)
  return {
    ctx,
    post: row.address,
    thread: found.comments,
    ask: (more = {}) =>
      ctx.proofs.ask({ key: KEY, post: row.address, text: 'But soft!', name: 'Romeo', sender: 'here', ...more }),
    say: (jid, body, more = {}) =>
      ctx.site.receive({ type: 'chat', from: { bare: jid, resource: 'phone' }, body, payloads: [], ...more }),
    bodies: () => ctx.site.sent.map(({ body }) => body),
    [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
  }
}

function itemsOf({ ctx, thread }: Scene) {
  return [...(ctx.network.nodes.get(addressKey(thread))?.items.values() ?? [])]
}

async function published({ ctx }: Scene, key = KEY) {
  return until(async () => {
    const proof = await findProof(ctx.state, key)
    return proof?.status === 'published' ? proof : undefined
  })
}

describe('a comment by somebody who is not signed in', () => {
  it('is published by the site account, with who sent the code as its contributor', async () => {
    await using scene = await open()
    const { ctx, thread } = scene
    const { code } = await scene.ask()
    assert.equal(itemsOf(scene).length, 0)
    scene.say(ROMEO, ` ${sayCode(code).toLowerCase()}\n`)
    const proof = await published(scene)
    const [item] = itemsOf(scene)
    assert.equal(item?.publisher, 'canto@capulet.example')
    const xml = writeXml(item?.payload ?? createElement('x'))
    assert.match(xml, /<author><name>canto<\/name><uri>xmpp:canto@capulet.example<\/uri><\/author>/)
    assert.match(
      xml,
      /<contributor><name>Romeo<\/name><uri>xmpp:romeo@montague.example<\/uri><proof xmlns="urn:canto:proof:1" how="message" mark="[\w-]{43}"\/><\/contributor>/,
    )
    const node = await findNode(ctx.index, thread)
    const entry = await findEntry(ctx.index, node?.id ?? 0, proof.commentItem ?? asItemId(''))
    assert.equal(entry?.contributor, ROMEO)
    assert.equal(entry?.author, 'canto@capulet.example')
    assert.deepEqual(JSON.parse(entry?.more ?? ''), { contributor: { name: 'Romeo', how: 'message' } })
    await until(() => scene.bodies().some((body) => body?.includes(`/comments/${proof.commentItem}`)))
  })

  it('is one, however often the code is sent and the form too', async () => {
    await using scene = await open()
    const [first, second] = await Promise.all([scene.ask(), scene.ask()])
    assert.equal(first.code, second.code)
    assert.equal((await scene.ask({ key: crypto.randomUUID() })).key, first.key)
    scene.say(ROMEO, first.code)
    scene.say(ROMEO, first.code)
    scene.say(MALLORY, first.code)
    await published(scene)
    await until(() => scene.bodies().includes('There is no comment with this code.'))
    assert.equal(itemsOf(scene).length, 1)
    assert.equal((await scene.ask({ key: crypto.randomUUID() })).status, 'published')
  })

  it('gets a code of its own when the same form comes with other words', async () => {
    await using scene = await open()
    const first = await scene.ask()
    const second = await scene.ask({ text: 'It is the east' })
    assert.notEqual(second.key, first.key)
    assert.equal(second.text, 'It is the east')
  })

  it('is not published by a code that is too old, and a page that is open is told', async () => {
    await using scene = await open()
    const { code } = await scene.ask()
    scene.ctx.setNow('2026-11-22T20:31:00Z')
    scene.say(ROMEO, code)
    await until(() => scene.bodies().some((body) => body?.startsWith('This code is too old.')))
    assert.equal(itemsOf(scene).length, 0)
  })

  it('is taken back by who wrote it, and by nobody else', async () => {
    await using scene = await open()
    const { code } = await scene.ask()
    scene.say(ROMEO, code)
    await published(scene)
    scene.say(MALLORY, `remove ${code}`)
    await until(() => scene.bodies().includes('There is no comment with this code.'))
    assert.equal(itemsOf(scene).length, 1)
    scene.say(ROMEO, `Remove ${sayCode(code)}`)
    await until(() => itemsOf(scene).length === 0)
  })

  it('is not published for who is blocked in the blog', async () => {
    await using scene = await open()
    await saveBlock(scene.ctx.state, { address: BLOG, jid: MALLORY, by: JULIET, since: scene.ctx.clock() })
    scene.say(MALLORY, (await scene.ask()).code)
    await until(() => scene.bodies().some((body) => body?.startsWith('Your comment was not published.')))
    assert.equal(itemsOf(scene).length, 0)
  })

  it('waits for approval like any other, and its writer is told so', async () => {
    await using scene = await open()
    const { code } = await scene.ask({ text: 'See https://wares.example/' })
    scene.say(ROMEO, code)
    const proof = await published(scene)
    await until(() => scene.bodies().some((body) => body?.startsWith('Your comment waits')))
    assert.equal(
      (await findDecision(scene.ctx.state, { ...scene.thread, item: proof.commentItem ?? asItemId('') }))?.author,
      ROMEO,
    )
  })

  it('is not published for who is blocked on the whole site', async () => {
    await using scene = await open()
    const since = scene.ctx.clock()
    await addSiteBlock(scene.ctx.state, { address: 'evil.example', kind: 'server', by: JULIET, since })
    await assert.rejects(scene.ask({ asked: MALLORY }), { code: 'forbidden' })
    scene.say(MALLORY, (await scene.ask({ key: 'another-form' })).code)
    await until(() => scene.bodies().some((body) => body?.startsWith('Your comment was not published.')))
    assert.equal(itemsOf(scene).length, 0)
  })

  it('survives a crash between the proof and the publication', async () => {
    await using scene = await open()
    const { ctx } = scene
    const { key } = await scene.ask()
    await ctx.proofs.stop()
    await ctx.state.updateTable('proof').set({ status: 'proved', jid: ROMEO, how: 'message' }).execute()
    await ctx.proofs.start()
    await published(scene, key)
    assert.equal(itemsOf(scene).length, 1)
  })

  it('says that the site is not connected, and that there are too many', async () => {
    await using scene = await open()
    const askAnother = (number: number) => scene.ask({ key: `key-${number}-of-many`, text: `Words ${number}` })
    for (let number = 0; number < 5; number++) await askAnother(number)
    await assert.rejects(askAnother(5), { code: 'too-many' })
    await scene.ask({ key: 'another-place', sender: 'there' })
    await assert.rejects(scene.ask({ key: 'long-long-long', text: 'x'.repeat(5_001), sender: 'b' }), {
      code: 'too-large',
    })
    await assert.rejects(scene.ask({ key: 'nothing-at-all', text: ' ', sender: 'b' }), { code: 'bad-request' })
    await assert.rejects(scene.ask({ key: 'no-such-post', sender: 'b', post: itemOf(BLOG, 'none') }), {
      code: 'not-found',
    })
    scene.ctx.site.setStatus('waiting')
    await assert.rejects(scene.ask({ key: 'while-offline', sender: 'c' }), { code: 'unavailable' })
  })
})

describe('what the site account hears', () => {
  it('gets answers to codes, only so often, and one a day to all else', async () => {
    await using scene = await open()
    const from = { bare: ROMEO }
    for (const type of ['error', 'groupchat', 'headline'] as const) scene.say(ROMEO, 'K7MD3QXZ', { type })
    for (const body of ['Hello', 'No', 'remove this', 'x'.repeat(50_000), 'K7MD3QXZ K7MD3QXZ']) scene.say(ROMEO, body)
    scene.say(scene.ctx.site.jid, 'K7MD3QXZ')
    scene.ctx.site.receive({ type: 'chat', from, payloads: [createElement('confirm', { xmlns: NS.HTTP_AUTH })] })
    for (let count = 0; count < 20; count++) scene.say(ROMEO, 'K7MD3QXZ')
    scene.say(MALLORY, 'K7MD3QXZ')
    await until(() => scene.ctx.site.sent.some(({ to }) => to === MALLORY))
    assert.equal(scene.ctx.site.sent.filter(({ to }) => to === ROMEO).length, 6)
  })

  it('gets one answer a day, and no program or late message gets any', async () => {
    await using scene = await open()
    const delay = createElement('delay', { xmlns: NS.DELAY })
    scene.say(ROMEO, 'Hello', { payloads: [delay] })
    for (const type of ['error', 'groupchat', 'headline', 'normal'] as const) scene.say(ROMEO, 'Hello', { type })
    scene.say(jidOf('irc.montague.example'), 'Hello')
    scene.say(ROMEO, 'This is the account of other.example. It reads only codes that its pages show.')
    scene.say(MALLORY, 'Hello')
    scene.say(MALLORY, 'x'.repeat(5_000))
    scene.say(JULIET, 'Is anybody there?')
    await until(() => scene.ctx.site.sent.some(({ to }) => to === JULIET))
    assert.deepEqual(
      scene.ctx.site.sent.map(({ to }) => to),
      [MALLORY, JULIET],
    )
    scene.ctx.setNow('2026-11-23T20:00:01Z')
    scene.say(MALLORY, 'No')
    await until(() => scene.bodies().length === 3)
    assert.match(
      scene.bodies()[2] ?? '',
      /^This is the account of \S+\. It reads only codes that its pages show\. http\S+$/,
    )
  })

  it('may have its code among other words', async () => {
    await using scene = await open()
    const { code } = await scene.ask()
    scene.say(ROMEO, `My code is ${sayCode(code).toLowerCase()}, thanks`)
    assert.equal((await published(scene)).jid, ROMEO)
  })

  it('is told that a comment was removed when its code comes again', async () => {
    await using scene = await open()
    const { code } = await scene.ask()
    scene.say(ROMEO, code)
    await published(scene)
    scene.say(ROMEO, `remove ${code}`)
    scene.say(ROMEO, code)
    await until(() => scene.bodies().includes('That comment was removed.'))
  })
})

describe('a question to an account (XEP-0070)', () => {
  const confirmOf = (id: string) => createElement('confirm', { xmlns: NS.HTTP_AUTH, id, method: 'POST', url: 'x' })

  it('goes to the bare JID once, and its confirmation publishes', async () => {
    await using scene = await open()
    const { code, key } = await scene.ask({ asked: ROMEO })
    await scene.ask({ asked: ROMEO })
    const [question, ...others] = scene.ctx.site.sent
    assert.equal(others.length, 0)
    assert.equal(question?.to, ROMEO)
    assert.equal(question.type, 'normal')
    assert.equal(question.payloads?.[0]?.attrs.id, sayCode(code))
    assert.ok(question.payloads?.[0]?.attrs.url?.endsWith(`/comments/proof/${key}`))
    scene.say(MALLORY, '', { type: 'normal', payloads: [confirmOf(sayCode(code))] })
    scene.say(MALLORY, code)
    scene.say(ROMEO, '', { type: 'normal', payloads: [confirmOf(sayCode(code))] })
    const proof = await published(scene)
    assert.equal(proof.how, 'confirm')
    assert.equal(proof.jid, ROMEO)
    assert.equal(itemsOf(scene).length, 1)
  })

  it('may be answered in words, with the code or no', async () => {
    await using scene = await open()
    await scene.ask({ asked: ROMEO })
    scene.say(ROMEO, 'No.')
    await until(async () => (await findProof(scene.ctx.state, KEY))?.status === 'denied')
    const again = await scene.ask({ key: 'another-form', asked: ROMEO })
    scene.say(ROMEO, again.code)
    assert.equal((await published(scene, again.key)).how, 'message')
  })

  it('may be answered with yes where it is the only one', async () => {
    await using scene = await open()
    await scene.ask({ asked: ROMEO })
    assert.match(scene.bodies()[0] ?? '', /^Read it first: http/m)
    await scene.ask({ key: 'another-form', text: 'Other words', asked: ROMEO })
    scene.say(ROMEO, 'Yes')
    await until(() => scene.bodies().some((body) => body?.startsWith('Several comments wait')))
    scene.say(ROMEO, 'no')
    await until(() => scene.bodies().includes('Thank you: it is not published.'))
    scene.ctx.setNow('2026-11-23T20:00:01Z')
    const third = await scene.ask({ key: 'third-form', text: 'More words', asked: ROMEO })
    scene.say(MALLORY, 'yes')
    scene.say(ROMEO, 'Ja!')
    assert.equal((await published(scene, third.key)).jid, ROMEO)
    assert.equal(itemsOf(scene).length, 1)
  })

  it('is not answered by a yes that comes too late for an earlier one', async () => {
    await using scene = await open()
    await scene.ask({ asked: ROMEO })
    assert.match(scene.bodies()[0] ?? '', /answer with this code, or "Yes"\./)
    scene.ctx.setNow('2026-11-22T20:04:59Z')
    const forged = await scene.ask({ key: 'forged', text: 'I am a fool', asked: ROMEO, sender: 'elsewhere' })
    assert.match(scene.bodies()[1] ?? '', /answer with this code\./)
    scene.ctx.setNow('2026-11-22T20:05:01Z')
    scene.say(ROMEO, 'Yes')
    scene.say(ROMEO, 'Yes', { thread: KEY })
    const reply = createElement('reply', { xmlns: 'urn:xmpp:reply:0', id: 'proof-ANOTHER' })
    scene.say(ROMEO, 'Yes', { payloads: [reply] })
    await until(() => scene.bodies().filter((body) => body?.startsWith('Several comments wait')).length === 3)
    assert.equal((await findProof(scene.ctx.state, forged.key))?.status, 'waiting')
    assert.equal(itemsOf(scene).length, 0)
    // A reply that names a question is about that one.
    scene.say(ROMEO, 'Yes', { thread: forged.key })
    await published(scene, forged.key)
  })

  it('is not answered by what was said before it was asked, nor by a confirmation of another', async () => {
    await using scene = await open()
    const { code, key } = await scene.ask({ asked: ROMEO })
    const delay = createElement('delay', { xmlns: NS.DELAY, stamp: '2026-11-22T19:59:59Z' })
    scene.say(ROMEO, 'Yes', { payloads: [delay] })
    scene.say(ROMEO, '', { payloads: [confirmOf(code), delay] })
    scene.say(ROMEO, '', { payloads: [confirmOf(code)], thread: 'another-question' })
    scene.say(ROMEO, '', { payloads: [confirmOf('2222-2222')], thread: key })
    // In order: what came before had no effect when this has.
    scene.say(MALLORY, 'What is this?')
    await until(() => scene.ctx.site.sent.some(({ to }) => to === MALLORY))
    assert.equal((await findProof(scene.ctx.state, key))?.status, 'waiting')
    const later = createElement('delay', { xmlns: NS.DELAY, stamp: '2026-11-22T20:00:01Z' })
    scene.say(ROMEO, '', { payloads: [confirmOf(code), later], thread: key })
    assert.equal((await published(scene)).how, 'confirm')
  })

  it('is denied by an error of who was asked, and of nobody else', async () => {
    await using scene = await open()
    const { code } = await scene.ask({ asked: ROMEO })
    const error = createElement('error', { type: 'auth' }, createElement('not-authorized', { xmlns: NS.STANZAS }))
    const refusal = { type: 'error', payloads: [confirmOf(sayCode(code)), error] } as const
    scene.say(MALLORY, '', refusal)
    scene.say(ROMEO, '', refusal)
    const denied = await until(async () => {
      const proof = await findProof(scene.ctx.state, KEY)
      return proof?.status === 'denied' ? proof : undefined
    })
    assert.equal(denied.problem, 'It was refused by the account that was asked.')
    scene.say(ROMEO, '', { type: 'normal', payloads: [confirmOf(sayCode(code))] })
    const { code: next } = await scene.ask({ key: 'another-form', asked: jidOf('nobody@montague.example') })
    const gone = createElement('error', { type: 'cancel' }, createElement('service-unavailable', { xmlns: NS.STANZAS }))
    scene.say(jidOf('nobody@montague.example'), '', { type: 'error', id: `proof-${next}`, payloads: [gone] })
    await until(async () => (await findProof(scene.ctx.state, 'another-form'))?.status === 'denied')
    assert.equal(itemsOf(scene).length, 0)
  })

  it('is not confirmed after five minutes', async () => {
    await using scene = await open()
    const { code } = await scene.ask({ asked: ROMEO })
    scene.ctx.setNow('2026-11-22T20:05:01Z')
    scene.say(ROMEO, '', { type: 'normal', payloads: [confirmOf(code)] })
    scene.say(ROMEO, code)
    await until(() => scene.bodies().some((body) => body?.startsWith('This code is too old.')))
    assert.equal(itemsOf(scene).length, 0)
  })

  it('is put to nobody more than three times an hour, and never to the site itself', async () => {
    await using scene = await open()
    const ask = (number: number, jid = ROMEO) =>
      scene.ask({ key: `question-${number}`, text: `Words ${number}`, asked: jid, sender: `place ${number}` })
    for (const number of [1, 2, 3]) await ask(number)
    await assert.rejects(ask(4), { code: 'too-many' })
    await ask(5, MALLORY)
    await assert.rejects(ask(6, scene.ctx.site.jid), { code: 'bad-request' })
    assert.equal(scene.ctx.site.sent.length, 4)
  })
})

describe('a contributor', () => {
  it('is believed of our own site account alone', async () => {
    await using scene = await open()
    const { ctx, thread } = scene
    const contributorOf = async (item: string, publisher: string) => {
      const payload = entryOf({ author: publisher })
      payload.cnode(writeContributor({ jid: ROMEO, name: 'Romeo', how: 'message' }))
      await publishTo(ctx, itemOf(thread, item), { payload, publisher })
      const node = await findNode(ctx.index, thread)
      return (await findEntry(ctx.index, node?.id ?? 0, asItemId(item)))?.contributor
    }
    assert.equal(await contributorOf('forged', MALLORY), null)
    assert.equal(await contributorOf('own', JULIET), null)
    assert.equal(await contributorOf('true', 'canto@capulet.example'), ROMEO)
  })
})

describe('a message that was made to cost', () => {
  it('costs nothing', async () => {
    await using scene = await open()
    await assertLinear([9_000, 90_000], async (size) => {
      for (let n = 0; n < 3; n++) scene.say(MALLORY, `remove${' '.repeat(size)}\nx\ny`)
      await new Promise(setImmediate)
    })
    scene.say(MALLORY, 'BCDF-2345')
    await until(() => scene.bodies().length > 0)
  })
})
