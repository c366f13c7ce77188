import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import tls from 'node:tls'
import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { choosePasswordExchange } from '#server/xmpp/mechanisms.ts'
import type { Credentials } from '#server/xmpp/ports.ts'
import { authenticate, readOffer } from '#server/xmpp/sasl.ts'
import { authenticate2 } from '#server/xmpp/sasl2.ts'
import { connectStream, type Stream } from '#server/xmpp/stream.ts'
import { readService } from '#server/xmpp/targets.ts'
import { createTraffic } from '#server/xmpp/traffic.ts'
import { jidOf } from '#test/support/context.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'

const PASSWORD = 'the password'
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const TYPES = { 'TLSv1.2': 'tls-unique', 'TLSv1.3': 'tls-exporter' } as const

const TOKENS = { 'TLSv1.2': 'HT-SHA-256-UNIQ', 'TLSv1.3': 'HT-SHA-256-EXPR' } as const

async function register(server: RigServer): Promise<string> {
  const user = `bound-${randomUUID().slice(0, 8)}`
  await server.register(user, PASSWORD)
  return user
}

type Connected = Awaited<ReturnType<typeof connect>>

/** A stream of an account under TLS, and what the server offers on it, as a man in the middle could change it. */
async function connect(server: RigServer, version: keyof typeof TYPES, account?: string) {
  const user = account ?? (await register(server))
  const jid = jidOf(`${user}@${server.domain}`)
  const options = { jid, target: readService(server.service), traffic: createTraffic() }
  const stream = await connectStream(options, AbortSignal.timeout(30_000))
  await stream.open()
  await stream.send(new Element('starttls', { xmlns: 'urn:ietf:params:xml:ns:xmpp-tls' }))
  await stream.next()
  const newest = tls.DEFAULT_MAX_VERSION
  tls.DEFAULT_MAX_VERSION = version
  try {
    await stream.startTls()
  } finally {
    tls.DEFAULT_MAX_VERSION = newest
  }
  assert.equal(stream.tls?.getProtocol(), version)
  const features = await stream.open()
  const choose = () => {
    const offer = readOffer(stream, features, features.getChild('mechanisms', SASL), SASL)
    return choosePasswordExchange(offer, user, 'x')
  }
  return {
    ...{ stream, features, choose },
    signIn: () => authenticate(stream, features, user, PASSWORD),
    nameBindings(...types: string[]) {
      features.remove('sasl-channel-binding')
      const list = features.c('sasl-channel-binding', { xmlns: 'urn:xmpp:sasl-cb:0' })
      for (const type of types) list.c('channel-binding', { type })
    },
    async [Symbol.asyncDispose]() {
      await stream.close()
    },
  }
}

/** Sign-ins of a new account by SASL2, each on a stream of its own; with the mechanism that each began. */
async function createSignIns(server: RigServer, version: keyof typeof TYPES) {
  const user = await register(server)
  const userAgentId = randomUUID()
  return async (credentials: Credentials, change: (ctx: Connected) => void = () => {}) => {
    await using ctx = await connect(server, version, user)
    change(ctx)
    let mechanism: unknown
    const send = (element: Element) => {
      mechanism ??= element.attrs.mechanism
      return ctx.stream.send(element)
    }
    const stream: Stream = Object.create(ctx.stream, { send: { value: send } })
    const options = { username: user, credentials, userAgentId, wantsToken: true }
    try {
      const { token, signIn } = await authenticate2(stream, ctx.features, options)
      return { mechanism, token, signIn }
    } catch (error) {
      assert.ok(error instanceof AppError)
      return { mechanism, refused: error.code }
    }
  }
}

/** As where the server's side of the connection ends at a man in the middle. */
function useAnotherChannel({ stream }: Connected): void {
  const tls = Object.create(stream.tls ?? null, {
    exportKeyingMaterial: { value: () => Buffer.alloc(32) },
    getFinished: { value: () => Buffer.alloc(12) },
  })
  Object.defineProperty(stream, 'tls', { value: tls })
}

/** As on a server that cannot bind tokens. */
function offerUnboundTokens({ features }: Connected): void {
  const fast = features.getChild('authentication')?.getChild('inline')?.getChild('fast')
  for (const child of fast?.getChildren('mechanism') ?? []) {
    if (child.getText() !== 'HT-SHA-256-NONE') fast?.remove(child)
  }
}

describe('a sign-in is bound to the channel', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  for (const kind of ['ejabberd', 'prosody'] as const) {
    for (const [version, type] of Object.entries(TYPES) as [keyof typeof TYPES, string][]) {
      it(`by ${type} on ${kind} with ${version}`, async () => {
        await using ctx = await connect(rig[kind], version)
        const exchange = ctx.choose()
        assert.match(exchange.name, /-PLUS$/)
        assert.match(String(await exchange.first()), new RegExp(`^p=${type},,`))
        await ctx.signIn()
      })

      it(`with a token, by ${TOKENS[version]} on ${kind}, which is used in no other way`, async () => {
        const signIn = await createSignIns(rig[kind], version)
        const { token } = await signIn({ password: PASSWORD })
        assert.equal(token?.mechanism, TOKENS[version])
        const again = await signIn({ token })
        assert.deepEqual([again.mechanism, again.signIn], [TOKENS[version], 'token'])
        const onOther = await signIn({ token }, useAnotherChannel)
        assert.deepEqual([onOther.mechanism, onOther.refused], [TOKENS[version], 'not-authorized'])
        const unbound = await signIn({ token }, offerUnboundTokens)
        assert.deepEqual([unbound.mechanism, unbound.refused], [undefined, 'not-authorized'])
      })
    }

    it(`on ${kind}, where a token that is not bound is changed for one that is`, async () => {
      const signIn = await createSignIns(rig[kind], 'TLSv1.3')
      const { token } = await signIn({ password: PASSWORD }, offerUnboundTokens)
      assert.equal(token?.mechanism, 'HT-SHA-256-NONE')
      const changed = await signIn({ token })
      assert.deepEqual([changed.mechanism, changed.token?.mechanism], ['HT-SHA-256-NONE', 'HT-SHA-256-EXPR'])
      assert.equal((await signIn({ token: changed.token })).mechanism, 'HT-SHA-256-EXPR')
      const byPassword = await signIn({ token, password: PASSWORD })
      assert.match(String(byPassword.mechanism), /^SCRAM-.*-PLUS$/)
      assert.equal(byPassword.token?.mechanism, 'HT-SHA-256-EXPR')
    })

    it(`on ${kind}, where a man in the middle takes the offer away, and the server sees it`, async () => {
      await using ctx = await connect(rig[kind], 'TLSv1.3')
      const mechanisms = ctx.features.getChild('mechanisms', SASL)
      for (const child of mechanisms?.getChildren('mechanism') ?? []) {
        if (child.getText().endsWith('-PLUS')) mechanisms?.remove(child)
      }
      const exchange = ctx.choose()
      assert.match(String(await exchange.first()), /^y,,/)
      await assert.rejects(ctx.signIn())
    })

    it(`on ${kind}, where a man in the middle names types that nobody knows, and Canto refuses`, async () => {
      await using ctx = await connect(rig[kind], 'TLSv1.3')
      ctx.nameBindings('tls-none', 'tls-unique')
      await assert.rejects(ctx.signIn(), (error) => {
        return (
          isAppError(error, 'unavailable') && /in no way that Canto knows \(tls-none, tls-unique\)/.test(error.message)
        )
      })
    })
  }

  it('by the certificate of a server that does no better', async () => {
    await using ctx = await connect(rig.ejabberd, 'TLSv1.3')
    ctx.nameBindings('tls-server-end-point')
    assert.match(String(await ctx.choose().first()), /^p=tls-server-end-point,,/)
    await ctx.signIn()
  })

  it('but for mechanisms that Canto does not know, of which it tells the server that it could', async () => {
    await using ctx = await connect(rig.ejabberd, 'TLSv1.3')
    const offer = { mechanisms: ['SCRAM-SHA3-512-PLUS', 'SCRAM-SHA-256'], tls: ctx.stream.tls, isSecure: true }
    assert.match(String(await choosePasswordExchange(offer, 'juliet', 'x').first()), /^y,,/)
    const plain = { mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'], tls: undefined, isSecure: false }
    assert.match(String(await choosePasswordExchange(plain, 'juliet', 'x').first()), /^n,,/)
  })
})
