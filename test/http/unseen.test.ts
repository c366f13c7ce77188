import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { saveCommunity } from '#server/store/community.ts'
import { addNode } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { jidOf } from '#test/support/context.ts'
import { JULIET, ROMEO } from '../feeds/fixtures.ts'
import { createTestSite } from './test-site.ts'

const NIGHTS: NodeAddress = { service: jidOf('pubsub.capulet.example'), node: 'nights' }
const WRITE = `/write?to=${encodeURIComponent(`xmpp:${NIGHTS.service}?;node=nights`)}`

describe('what was sent and does not show here', () => {
  it('is told to its writer alone, on its own page and in the outbox, until they drop it', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    await ctx.network.pubsubOf(JULIET).createNode(NIGHTS, { publish_model: 'open' })
    await ctx.network.pubsubOf(JULIET).setAffiliation(NIGHTS, ctx.siteJid, 'outcast')
    await addNode(ctx.index, { address: NIGHTS, kind: 'community', now: ctx.clock() })
    await saveCommunity(ctx.state, { address: NIGHTS, owner: JULIET, since: ctx.clock() })
    const romeo = await site.signedIn(ROMEO)
    const form = await romeo.get(WRITE)
    const page = form.statusCode === 303 ? await romeo.get(String(form.headers.location)) : form
    const fields = { title: 'By yonder moon', text: 'I swear', action: 'publish' }
    const answer = await romeo.submit(page.body, '/write', fields)
    assert.equal(answer.statusCode, 303)
    const path = String(answer.headers.location)
    const words =
      /It was sent to pubsub\.capulet\.example, which does not let this site read it: it does not show here\./
    const own = await romeo.get(path)
    assert.equal(own.statusCode, 200)
    assert.match(own.body, words)
    assert.match(own.body, /I swear/)
    assert.equal((await site.browser().get(path)).statusCode, 404)
    const drafts = await romeo.get('/drafts')
    assert.match(drafts.body, words)
    const [, drop = ''] = /action="(\/outbox\/\d+\/drop)"/.exec(drafts.body) ?? []
    assert.equal((await romeo.submit(drafts.body, drop, {})).statusCode, 303)
    assert.doesNotMatch((await romeo.get('/drafts')).body, words)
    assert.ok([...ctx.network.nodes.values()].some(({ items }) => items.size === 1))
  })
})
