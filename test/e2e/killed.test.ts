import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { asItemId } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { textOf } from '#shared/xml.ts'
import { createTestFolder, type TestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Rig, startRig } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'
import { createWebClient, type WebClient } from '../support/web-client.ts'

const POSTS = 120
const KILLS = 6
const RESTARTS = 2
const SEED = 20261122
const juliet = readBareJid('juliet@ejabberd.test') as BareJid

/** Distinct posts, chosen alike on every machine. */
function choose(count: number, seed: number): Set<number> {
  const chosen = new Set<number>()
  for (let state = seed; chosen.size < count; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    chosen.add(Math.floor((state / 2 ** 32) * POSTS))
  }
  return chosen
}

describe('a site on an account of its own, killed again and again', () => {
  let folder: TestFolder
  let rig: Rig
  let product: Product
  let client: WebClient

  before(async () => {
    folder = await createTestFolder()
    rig = await startRig({ servers: ['ejabberd'] })
    await writeFile(folder.file('ca.pem'), rig.ejabberd.certificate)
    await rig.ejabberd.register('canto', 'site-secret')
    await rig.ejabberd.register('juliet', 'password of juliet')
    product = await startProduct({
      CANTO_XMPP_JID: 'canto@ejabberd.test',
      CANTO_XMPP_PASSWORD: 'site-secret',
      CANTO_XMPP_SERVICE: rig.ejabberd.service,
      CANTO_BLOGGERS: 'ejabberd.test',
      NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
    })
    client = createWebClient(() => product.url)
    await client.signIn(juliet, 'password of juliet')
  })
  after(async () => {
    await product?.[Symbol.asyncDispose]()
    await rig?.stop()
    await folder?.[Symbol.asyncDispose]()
  })

  it('has every post that it answered on the node and in the index, once', async () => {
    const [kills, restarts] = [choose(KILLS, SEED), choose(RESTARTS, SEED + 1)]
    const answered = new Map<string, string>()
    let refused = 0
    let restarted = Promise.resolve()
    for (let i = 0; i < POSTS; i++) {
      // One after the other, for a server that is still starting would be ended by the second.
      if (restarts.has(i)) restarted = restarted.then(() => rig.ejabberd.restart())
      const title = `Post number ${i}.`
      const sending = client
        .submit('/write', '/write', { title, text: `Text of ${i}.`, action: 'publish' })
        .catch(() => undefined)
      // At whatever step the post is by then.
      if (kills.has(i)) await killSoon(product, i)
      const answer = await sending
      if (answer?.status === 303) answered.set(title, answer.headers.get('location') ?? '')
      else refused++
      if (!kills.has(i)) continue
      // Canto does not start while its server restarts.
      await restarted
      await product.start()
    }
    await restarted
    console.log(`# ${answered.size} of ${POSTS} posts were answered, ${refused} were not, over ${KILLS} kills`)
    assert.ok(answered.size >= POSTS - KILLS - RESTARTS, `${answered.size} answers`)

    const onNode = await until(
      async () => {
        const titles = await listTitles(rig)
        return [...answered.keys()].every((title) => titles.has(title)) ? titles : undefined
      },
      { what: 'every answered post on the node' },
    )
    for (const [title, times] of onNode) assert.equal(times, 1, `${title} is on the node ${times} times`)
    const inFeed = await until(
      async () => {
        const found = await listFeedTitles(client)
        return found.length === onNode.size ? found : undefined
      },
      { what: 'every post of the node in the feed' },
    )
    assert.deepEqual(new Set(inFeed), new Set(onNode.keys()))
    for (const path of answered.values()) assert.equal((await client.get(path)).status, 200, path)
  })
})

/** A seeded moment of the sending: a post takes about a tenth of a second from the form to its answer. */
async function killSoon(product: Product, i: number): Promise<void> {
  await sleep((i * 37) % 130)
  await product.kill()
}

async function listTitles(rig: Rig): Promise<Map<string, number>> {
  await using session = openTestSession(rig.ejabberd, 'juliet')
  await session.whenOnline(30_000)
  const titles = new Map<string, number>()
  for await (const items of session.pubsub.allItems({ service: juliet, node: NS.MICROBLOG })) {
    for (const { id, payload } of items) {
      if (id === asItemId('0')) continue
      const title = payload?.getChild('title')
      const text = title === undefined ? '' : textOf(title)
      titles.set(text, (titles.get(text) ?? 0) + 1)
    }
  }
  return titles
}

/** Of all pages of the blog's feed (RFC 5005). */
async function listFeedTitles(client: WebClient): Promise<string[]> {
  const titles: string[] = []
  for (let path: string | undefined = '/@juliet/atom.xml'; path !== undefined; ) {
    const feed: string = await (await client.get(path)).text()
    titles.push(...[...feed.matchAll(/<entry>\s*<title>([^<]*)<\/title>/g)].map(([, title = '']) => title))
    path = /<link rel="next"[^>]* href="([^"]+)"/.exec(feed)?.[1]?.replaceAll('&amp;', '&')
  }
  return titles
}
