import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { queuePost } from '#server/feeds/outbox.ts'
import { sayCode } from '#server/feeds/proofs/code.ts'
import { findPost } from '#server/store/post.ts'
import { findProof } from '#server/store/proof.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { jidOf } from '#test/support/context.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { type SlixmppClient, startSlixmpp } from '#test/support/slixmpp.ts'
import { until } from '#test/support/until.ts'

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  interface Scene extends AsyncDisposable {
    readonly ctx: RealContext
    readonly post: ItemAddress
    readonly comments: NodeAddress
    /** On the other server, with a client that is not ours. */
    readonly reader: SlixmppClient
    readonly readerJid: string
    ask(text: string, asked?: string): Promise<{ key: string; code: string }>
    reaches(key: string, status: string): Promise<string | undefined>
  }

  async function open(): Promise<Scene> {
    const end = randomUUID().slice(0, 8)
    const ctx = await createRealContext({ home: rig[kind], siteUser: `site-${end}` })
    const author = await ctx.signIn(rig[kind], `author-${end}`)
    await ctx.proofs.start()
    await ctx.indexing.start()
    await ctx.outbox.start()
    await addAuthor(ctx, author.jid)
    const draft = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }
    const row = await queuePost(ctx, { author: author.jid, key: 'post', draft })
    const done = await ctx.outbox.settle(row.id, 30_000)
    assert.equal(done.status, 'done', done.problem)
    const found = await findPost(ctx.index, row.address)
    assert.ok(found !== undefined && found !== 'gone' && found.comments !== undefined)
    const { domain, service, certificate, register } = rig[other]
    await register(`reader-${end}`, 'secret')
    const readerJid = `reader-${end}@${domain}`
    const reader = await startSlixmpp({ jid: readerJid, password: 'secret', service, certificate })
    await reader.presence()
    return {
      ...{ ctx, post: row.address, comments: found.comments, reader, readerJid },
      async ask(text, asked) {
        const words = { key: randomUUID(), post: row.address, text, name: 'Mercutio', sender: 'here' }
        const proof = await ctx.proofs.ask({ ...words, ...(asked !== undefined && { asked: jidOf(asked) }) })
        return { key: proof.key, code: sayCode(proof.code) }
      },
      async reaches(key, status) {
        const proof = await until(
          async () => {
            const row = await findProof(ctx.state, key)
            return row?.status === status ? row : undefined
          },
          { what: `the proof to be ${status}` },
        )
        return proof.problem ?? proof.commentItem
      },
      async [Symbol.asyncDispose]() {
        await reader.stop()
        await ctx[Symbol.asyncDispose]()
      },
    }
  }

  describe(`a comment without signing in, of an account on ${other}, on a blog on ${kind}`, () => {
    it('is published when the code comes from there, and taken back at its writer’s word', async () => {
      await using scene = await open()
      const { ctx, reader, comments, readerJid } = scene
      const { key, code } = await scene.ask('A plague on both your houses')
      await reader.message(ctx.site.jid, code)
      const item = await scene.reaches(key, 'published')
      const [published] = await reader.items({ ...comments, ids: [item ?? ''] })
      assert.equal(published?.publisher?.split('/')[0], ctx.site.jid)
      assert.match(published.payload ?? '', /A plague on both your houses/)
      assert.match(published.payload ?? '', new RegExp(`uri>xmpp:${readerJid}<`))
      assert.match(published.payload ?? '', /how="message"/)
      await reader.hear(({ body }) => body?.includes(`/comments/${item}`) === true, 'the address of the comment')
      await reader.message(ctx.site.jid, `remove ${code}`)
      await until(async () => (await reader.items(comments)).length === 0, { what: 'the comment to be gone' })
    })

    it('is confirmed or denied where the account was asked (XEP-0070)', async () => {
      await using scene = await open()
      const { ctx, reader, comments, readerJid } = scene
      const question = async (code: string) => {
        const { xml = '' } = await reader.hear(
          (event) => event.event === 'stanza' && event.xml?.includes(`id="${code}"`) === true,
          'the question',
        )
        const [, url = ''] = /confirm [^>]*url="([^"]*)"/.exec(xml) ?? []
        assert.match(url, /\/comments\/proof\//)
        const [, from = ''] = /message [^>]*from="([^"]*)"/.exec(xml) ?? []
        const confirm = `<confirm xmlns="http://jabber.org/protocol/http-auth" id="${code}" method="POST" url="${url}"/>`
        return { from, confirm }
      }
      const first = await scene.ask('I am hurt', readerJid)
      const asked = await question(first.code)
      await reader.send(`<message to="${ctx.site.jid}"><thread>${first.key}</thread>${asked.confirm}</message>`)
      const item = await scene.reaches(first.key, 'published')
      const [published] = await reader.items({ ...comments, ids: [item ?? ''] })
      assert.match(published?.payload ?? '', /how="confirm"/)
      const second = await scene.ask('Not mine', readerJid)
      // RFC 6121 §8.5.2: to the full JID, for servers drop errors to a bare one.
      const { from, confirm } = await question(second.code)
      const error = '<error type="auth"><not-authorized xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>'
      await reader.send(`<message type="error" to="${from}"><thread>${second.key}</thread>${confirm}${error}</message>`)
      assert.match((await scene.reaches(second.key, 'denied')) ?? '', /refused/)
      const third = await scene.ask('Nobody’s', `nobody-${second.key}@${rig[other].domain}`)
      assert.match((await scene.reaches(third.key, 'denied')) ?? '', /could not be reached/)
      assert.equal((await reader.items(comments)).length, 1)
    })
  })
}
