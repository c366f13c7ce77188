import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { FastToken, SessionStatus } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

for (const kind of ['ejabberd', 'prosody'] as const) {
  describe(`when ${kind} goes away`, () => {
    let rig: Rig
    let server: RigServer
    before(async () => {
      rig = await useRig({ own: true, servers: [kind] })
      server = rig[kind]
    })
    after(() => rig.stop())

    async function register() {
      const user = `juliet-${randomUUID().slice(0, 8)}`
      await server.register(user, `password of ${user}`)
      return user
    }

    it('the session comes back by itself, by its token, and hears again', async () => {
      let token: FastToken | undefined
      const user = await register()
      await using session = openTestSession(server, user, {
        isSite: true,
        credentials: () => ({ password: `password of ${user}`, ...(token && { token }) }),
        saveToken: (saved) => {
          token = saved
        },
      })
      await session.whenOnline(30_000)
      const address = { service: session.jid, node: `urn:test:${randomUUID()}` }
      await session.pubsub.createNode(address, { access_model: 'open' })
      await session.pubsub.subscribeNode(address)
      const seen: SessionStatus[] = []
      session.onStatus((status) => seen.push(status))
      await server.restart()
      await until(() => seen.includes('online'))
      assert.deepEqual([seen[0], seen.at(-1)], ['waiting', 'online'])
      const { promise, resolve } = Promise.withResolvers<void>()
      session.onPubsubEvent((event) => event.kind === 'published' && resolve())
      await session.pubsub.publishItem({ ...address, item: asItemId('1') }, new Element('entry', { xmlns: 'urn:x' }))
      await promise
    })

    it('what was asked fails at once, and so does what is asked meanwhile', async () => {
      const user = await register()
      // ejabberd on Mnesia forgets what it was told within the last two seconds before a kill, accounts too.
      await server.restart()
      await using session = openTestSession(server, user)
      await session.whenOnline(30_000)
      const address = { service: session.jid, node: 'n' }
      const asked = Promise.allSettled(Array.from({ length: 30 }, () => session.pubsub.listItems(address)))
      await server.kill()
      for (const result of await asked) {
        if (result.status === 'rejected')
          assert.ok(isAppError(result.reason, 'unavailable', 'not-found'), String(result.reason))
      }
      await until(() => session.status !== 'online')
      await assert.rejects(session.pubsub.listItems(address), (error) => isAppError(error, 'unavailable'))
      await assert.rejects(session.whenOnline(100), (error) => isAppError(error, 'unavailable', 'timeout'))
      assert.match(session.problem?.message ?? '', /\.test/)
      await server.start()
      await session.whenOnline(30_000)
    })

    it('a session that began without it waits for it', async () => {
      const user = await register()
      await server.stop()
      await using session = openTestSession(server, user)
      await until(() => session.status === 'waiting')
      assert.match(session.problem?.message ?? '', /refuses connections/)
      await server.start()
      await session.whenOnline(30_000)
      assert.equal(session.problem, undefined)
    })

    it('a session whose password was changed meanwhile is refused, and tries no more', async () => {
      const user = await register()
      await using session = openTestSession(server, user)
      await session.whenOnline(30_000)
      await server.changePassword(user, 'another')
      await server.restart()
      await until(() => session.status === 'refused')
      assert.match(session.problem?.message ?? '', /does not accept this address with this password/)
    })
  })
}
