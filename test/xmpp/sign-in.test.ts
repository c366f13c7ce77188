import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import { choosePasswordExchange } from '#server/xmpp/mechanisms.ts'
import { authenticate, readOffer } from '#server/xmpp/sasl.ts'
import { SASL2 } from '#server/xmpp/sasl2.ts'
import { connectStream, type Stream } from '#server/xmpp/stream.ts'
import { readService } from '#server/xmpp/targets.ts'
import { createTraffic } from '#server/xmpp/traffic.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Rig, useRig } from '#test/support/rig.ts'

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'

describe('signing in by plain SASL, as to servers without SASL2', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  async function open(kind: 'ejabberd' | 'prosody', user: string) {
    const { domain, service } = rig[kind]
    const options = { jid: `${user}@${domain}` as BareJid, target: readService(service), traffic: createTraffic() }
    const stream = await connectStream(options, AbortSignal.timeout(30_000))
    await stream.open()
    await stream.send(new Element('starttls', { xmlns: 'urn:ietf:params:xml:ns:xmpp-tls' }))
    assert.equal((await stream.next()).name, 'proceed')
    await stream.startTls()
    return { stream, features: await stream.open() }
  }
  const mechanismsOf = (stream: Stream, features: Element) =>
    readOffer(stream, features, features.getChild('mechanisms', SASL), SASL)

  for (const kind of ['ejabberd', 'prosody'] as const) {
    it(`binds the sign-in to the TLS channel on ${kind}, and proves both sides`, async () => {
      const user = `juliet-${randomUUID().slice(0, 8)}`
      await rig[kind].register(user, 'pencil')
      const { stream, features } = await open(kind, user)
      const offer = mechanismsOf(stream, features)
      assert.match(choosePasswordExchange(offer, user, 'pencil').name, /^SCRAM-SHA-\d+-PLUS$/)
      await authenticate(stream, features, user, 'pencil')
      assert.ok((await stream.open()).getChild('bind'))
      await stream.close()
    })

    it(`works with each SCRAM that ${kind} offers`, async () => {
      const user = `juliet-${randomUUID().slice(0, 8)}`
      await rig[kind].register(user, 'pencil')
      const first = await open(kind, user)
      const offered = mechanismsOf(first.stream, first.features).mechanisms.filter((name) => name.startsWith('SCRAM'))
      await first.stream.close()
      assert.ok(offered.includes('SCRAM-SHA-1'))
      for (const name of offered) {
        const { stream, features } = await open(kind, user)
        const only = new Element('features')
        for (const child of features.getChildElements()) if (child.name === 'sasl-channel-binding') only.cnode(child)
        only.c('mechanisms', { xmlns: SASL }).c('mechanism').t(name)
        // What looks like an offer without PLUS is one that a man in the middle made: the server must notice.
        const isDowngrade = !name.endsWith('-PLUS') && offered.some((one) => one.endsWith('-PLUS'))
        const signedIn = authenticate(stream, only, user, 'pencil')
        if (isDowngrade) await assert.rejects(signedIn)
        else await signedIn
        await stream.close()
      }
    })

    it(`refuses a wrong password on ${kind}`, async () => {
      const user = `juliet-${randomUUID().slice(0, 8)}`
      await rig[kind].register(user, 'pencil')
      const { stream, features } = await open(kind, user)
      await assert.rejects(authenticate(stream, features, user, 'pen'), (error) => isAppError(error, 'not-authorized'))
      await stream.close()
    })

    it(`is offered SASL2 and FAST by ${kind}`, async () => {
      const { stream, features } = await open(kind, 'anybody')
      const inline = features.getChild('authentication', SASL2)?.getChild('inline')
      assert.deepEqual(
        ['urn:xmpp:bind:0', 'urn:xmpp:fast:0'].filter((ns) =>
          inline?.getChildElements().some((child) => child.attrs.xmlns === ns),
        ),
        ['urn:xmpp:bind:0', 'urn:xmpp:fast:0'],
      )
      await stream.close()
    })
  }
})
