import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Rig, startRig } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'

describe('the link between two servers', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig({ link: true })
  })
  after(() => rig.stop())

  for (const [home, other] of [
    ['ejabberd', 'prosody'],
    ['prosody', 'ejabberd'],
  ] as const) {
    it(`from ${home} to ${other} is out of order while it is cut, and heals`, async () => {
      await rig[home].register('asker', 'password of asker')
      await using asker = openTestSession(rig[home], 'asker')
      await asker.whenOnline(30_000)
      const ask = () => asker.disco.readInfo(rig[other].domain)
      await ask()
      rig.link.pause()
      await assert.rejects(ask())
      rig.link.resume()
      // A server may lose what it was given while it noticed the cut: a request without an answer fails after 30 s.
      const options = { timeout: 100_000, what: 'an answer over the healed link' }
      await until(async () => (await ask()).features.size > 0, options)
    })
  }
})
