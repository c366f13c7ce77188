import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { createDisco } from '#server/xmpp/disco.ts'
import type { Disco } from '#server/xmpp/ports.ts'
import { createServices } from '#server/xmpp/services.ts'
import type { BareJid } from '#shared/jid.ts'
import { startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { openTestSession } from '#test/support/test-session.ts'

const JID = 'juliet@fake.test' as BareJid
const HOUR = 60 * 60 * 1000

function setUp() {
  const state = { now: 0, asked: 0, isDown: false }
  const disco: Disco = {
    async readInfo(jid) {
      if (state.isDown && jid === 'pubsub.fake.test') throw new AppError('timeout', 'no answer')
      const type = jid === 'pubsub.fake.test' ? 'service' : 'pep'
      return { identities: [{ category: 'pubsub', type }], features: new Set(), forms: new Map() }
    },
    async listItems() {
      state.asked++
      return [{ jid: 'pubsub.fake.test' }]
    },
  }
  const services = createServices(JID, disco, () => state.now)
  return { state, services }
}

describe('what a server offers', () => {
  it('is asked when it is needed, once, and not again while the caps stay the same', async () => {
    const { state, services } = setUp()
    services.onConnected('one')
    assert.equal(state.asked, 0)
    assert.equal((await services.read()).pubsub, 'pubsub.fake.test')
    for (let drop = 0; drop < 3; drop++) {
      services.onConnected('one')
      await services.read()
    }
    assert.equal(state.asked, 1)
    services.onConnected('another')
    await services.read()
    assert.equal(state.asked, 2)
    services.onConnected(undefined)
    services.onConnected(undefined)
    await services.read()
    assert.equal(state.asked, 3)
  })

  it('is asked again after a day', async () => {
    const { state, services } = setUp()
    await services.read()
    state.now = 23 * HOUR
    await services.read()
    assert.equal(state.asked, 1)
    state.now = 25 * HOUR
    await services.read()
    assert.equal(state.asked, 2)
  })

  it('is asked again on the next stream where somebody did not answer', async () => {
    const { state, services } = setUp()
    state.isDown = true
    assert.equal((await services.read()).pubsub, undefined)
    await services.read()
    assert.equal(state.asked, 1)
    state.isDown = false
    services.onConnected(undefined)
    assert.equal((await services.read()).pubsub, 'pubsub.fake.test')
  })
})

describe('items of a service', () => {
  function pages(answers: readonly string[]) {
    const asked: string[] = []
    const disco = createDisco(async (_type, _to, payload) => {
      asked.push(payload.toString())
      const inside = answers[Math.min(asked.length, answers.length) - 1]
      return parse(`<iq><query xmlns='http://jabber.org/protocol/disco#items'>${inside}</query></iq>`)
    })
    return { disco, asked }
  }
  const items = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => `<item jid='s' node='n${from + n}'/>`).join('')
  const set = (last: string) => `<set xmlns='http://jabber.org/protocol/rsm'><last>${last}</last></set>`

  it('are read page by page until there are as many as were wanted', async () => {
    const { disco, asked } = pages([items(0, 2) + set('n1'), items(2, 2) + set('n3'), items(4, 2) + set('n5')])
    const found = await disco.listItems('s', undefined, { max: 5 })
    assert.deepEqual(
      found.map(({ node }) => node),
      ['n0', 'n1', 'n2', 'n3', 'n4'],
    )
    assert.equal(asked.length, 3)
    assert.match(asked[0] ?? '', /<max>5<\/max><\/set>/)
    assert.match(asked[1] ?? '', /<max>3<\/max><after>n1<\/after>/)
  })

  it('are cut where the service sends more than was wanted, and never asked for without end', async () => {
    const whole = pages([items(0, 500)])
    assert.equal((await whole.disco.listItems('s', undefined, { max: 200 })).length, 200)
    assert.equal(whole.asked.length, 1)
    const stuck = pages([items(0, 1) + set('n0')])
    assert.equal((await stuck.disco.listItems('s', undefined, { max: 200 })).length, 2)
    let page = 0
    const endless = createDisco(async () =>
      parse(
        `<iq><query xmlns='http://jabber.org/protocol/disco#items'>${items(0, 1)}${set(String(page++))}</query></iq>`,
      ),
    )
    assert.equal((await endless.listItems('s', undefined, { max: 1000 })).length, 20)
  })
})

describe('what a service says without measure', () => {
  const LARGE = 'x'.repeat(1_000_000)
  const discoOf = (answer: () => string) => createDisco(async () => parse(`<iq>${answer()}</iq>`))

  it('is kept of its items no longer than addresses and names are', async () => {
    let page = 0
    const disco = discoOf(() => {
      const items = ['jid', 'node', 'name'].map((long) => {
        const attrs = { jid: 's', node: `n${page}`, name: 'a', [long]: LARGE }
        return `<item jid='${attrs.jid}' node='${attrs.node}' name='${attrs.name}'/>`
      })
      const set = `<set xmlns='http://jabber.org/protocol/rsm'><last>${page++}</last></set>`
      return `<query xmlns='http://jabber.org/protocol/disco#items'>${items.join('')}${set}</query>`
    })
    const found = await disco.listItems('s', undefined, { max: 600 })
    assert.equal(found.length, 20)
    assert.ok(JSON.stringify(found).length < 10_000)
  })

  it('is no information', async () => {
    const query = (inside: string) => `<query xmlns='http://jabber.org/protocol/disco#info'>${inside}</query>`
    const many = "<feature var='urn:example'/>".repeat(20_000)
    for (const inside of [
      `<feature var='${LARGE}'/>`,
      many,
      `<identity category='pubsub' type='pep' name='${LARGE}'/>`,
    ]) {
      const disco = discoOf(() => query(inside))
      await assert.rejects(disco.readInfo('s'), (error) => isAppError(error, 'too-large'))
    }
    const usual = discoOf(() => query("<feature var='urn:example'/>".repeat(500)))
    assert.equal((await usual.readInfo('s')).features.size, 1)
  })
})

describe('a public subscription', () => {
  const NODE = { service: 'romeo@other.test' as BareJid, node: 'urn:xmpp:microblog:0' }
  async function subscribe(features: readonly string[], isPublic: boolean | undefined) {
    await using server = await startFakeServer({
      onStanza(stanza, { send }) {
        const { id, to } = stanza.attrs
        const isAccount = to === 'juliet@fake.test'
        const found = isAccount ? features.map((name) => `<feature var='${name}'/>`).join('') : ''
        const ns = stanza.getChild('query')?.attrs.xmlns
        const answer = ns === undefined ? '' : `<query xmlns='${ns}'>${found}</query>`
        if (stanza.name === 'iq') send(`<iq type='result' id='${id}'${to ? ` from='${to}'` : ''}>${answer}</iq>`)
      },
    })
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(30_000)
    assert.equal(await session.pubsub.subscribeNode(NODE, isPublic === undefined ? {} : { isPublic }), 'subscribed')
    const services = await session.readServices()
    return {
      services,
      sent:
        server.received
          .filter((stanza) => stanza.attrs.type === 'set')
          .map(String)
          .at(-1) ?? '',
    }
  }
  const BOTH = ['urn:xmpp:pam:0', 'urn:xmpp:pps:0']

  it('goes through the own account where its server keeps them', async () => {
    const { services, sent } = await subscribe(BOTH, true)
    assert.equal(services.publicSubscriptions, true)
    assert.match(
      sent,
      /^<iq type="set" id="[^"]+"><pam xmlns="urn:xmpp:pam:0" jid="romeo@other.test"><subscribe xmlns="http:\/\/jabber.org\/protocol\/pubsub" node="urn:xmpp:microblog:0" jid="juliet@fake.test"><public xmlns="urn:xmpp:pps:0"\/><\/subscribe><\/pam><\/iq>$/,
    )
  })

  it('is taken back by subscribing through the own account again, without saying that it is public', async () => {
    const { sent } = await subscribe(BOTH, false)
    assert.match(sent, /<pam xmlns="urn:xmpp:pam:0" jid="romeo@other.test"><subscribe [^>]*\/><\/pam>/)
  })

  it('is a plain one where the server keeps none, or nothing was said of it', async () => {
    for (const [features, isPublic] of [
      [['urn:xmpp:pam:0'], true],
      [BOTH, undefined],
    ] as const) {
      const { sent } = await subscribe(features, isPublic)
      assert.match(sent, /to="romeo@other.test"><pubsub [^>]*><subscribe node="urn:xmpp:microblog:0"/)
      assert.doesNotMatch(sent, /pam|public/)
    }
  })
})
