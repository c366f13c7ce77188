import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { findAccount } from '#server/store/account.ts'
import type { Credentials, XmppSession } from '#server/xmpp/ports.ts'
import { openSession } from '#server/xmpp/session.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'
import { openTestSession, SILENT } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { createTestPeople } from './test-people.ts'

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

interface Opened {
  readonly session: XmppSession
  readonly credentials: () => Credentials | Promise<Credentials>
}

/** People whose sessions are at a real server, and every session that was opened. */
async function peopleOf(server: RigServer) {
  const opened: Opened[] = []
  const user = `user-${randomUUID().slice(0, 8)}`
  await server.register(user, 'secret')
  const ctx = await createTestPeople({
    env: { CANTO_SIGNIN_DOMAINS: server.domain },
    openSession: (options) => {
      const session = openSession({ ...options, service: server.service, isSite: false, log: SILENT })
      opened.push({ session, credentials: options.credentials })
      return session
    },
  })
  const request = { jid: `${user}@${server.domain}`, password: 'secret', address: '192.0.2.1' }
  return { ctx, opened, user, request, [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose]() }
}

for (const kind of ['ejabberd', 'prosody'] as const) {
  describe(`signing in at ${kind}`, () => {
    it('checks the password, and says the same for an account that does not exist', async () => {
      await using scene = await peopleOf(rig[kind])
      const { people } = scene.ctx
      const wrong = await people.signIn({ ...scene.request, password: 'wrong' }).catch((error) => error)
      const none = await people.signIn({ ...scene.request, jid: `nobody@${rig[kind].domain}` }).catch((error) => error)
      assert.equal(wrong.code, 'not-authorized')
      assert.equal(none.code, 'not-authorized')
      assert.equal(none.message, wrong.message)
      const { jid } = await people.signIn(scene.request)
      assert.equal(people.session(jid)?.status, 'online')
    })

    it('comes back after a restart without anybody’s password', async () => {
      await using scene = await peopleOf(rig[kind])
      const { ctx } = scene
      const { cookie, jid } = await ctx.people.signIn(scene.request)
      await until(async () => (await findAccount(ctx.state, jid))?.token, { what: 'a token' })
      await ctx.restart()
      await ctx.people.restore()
      await until(() => ctx.people.session(jid)?.status === 'online', { what: 'the session' })
      assert.equal((await scene.opened.at(-1)?.credentials())?.password, undefined)
      assert.equal((await ctx.people.find(cookie))?.jid, jid)
    })

    it('keeps one session for two browsers, and lets the last one end its token', async () => {
      await using scene = await peopleOf(rig[kind])
      const { ctx, user } = scene
      const first = await ctx.people.signIn(scene.request)
      const second = await ctx.people.signIn(scene.request)
      await until(() => ctx.people.session(first.jid)?.status === 'online')
      assert.equal(scene.opened.filter(({ session }) => session.status === 'online').length, 1)
      await ctx.people.signOut(first.cookie)
      assert.equal(ctx.people.session(first.jid)?.status, 'online')
      const { token } = (await scene.opened.at(-1)?.credentials()) ?? {}
      assert.ok(token !== undefined)
      const userAgentId = (await findAccount(ctx.state, first.jid))?.userAgentId ?? ''
      await ctx.people.signOut(second.cookie)
      assert.equal(ctx.people.session(first.jid), undefined)
      await using late = openTestSession(rig[kind], user, { credentials: () => ({ token }), userAgentId })
      await assert.rejects(late.whenOnline(30_000), { code: 'not-authorized' })
    })

    it('ends with a clear word when the server takes the token no longer', async () => {
      await using scene = await peopleOf(rig[kind])
      const { ctx, user } = scene
      const { cookie, jid } = await ctx.people.signIn(scene.request)
      const account = await until(async () => {
        const found = await findAccount(ctx.state, jid)
        return found?.token === undefined ? undefined : found
      })
      const credentials = await scene.opened.at(-1)?.credentials()
      await ctx.people.stop()
      const { userAgentId } = account
      await using other = openTestSession(rig[kind], user, { credentials: () => credentials ?? {}, userAgentId })
      await other.invalidateToken()
      await ctx.restart()
      await ctx.people.restore()
      const ending = await until(() => ctx.people.findEnding(cookie), { what: 'the end of the session' })
      assert.equal(ending.jid, jid)
      assert.equal(await ctx.people.find(cookie), undefined)
      assert.equal(ctx.people.session(jid), undefined)
      assert.equal((await findAccount(ctx.state, jid))?.token, undefined)
    })
  })
}
