import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { queuePost } from '#server/feeds/outbox.ts'
import { saveCommunity } from '#server/store/community.ts'
import { addNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { type NodeAddress, writeXmppUri } from '#shared/address.ts'
import { jidOf } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO } from '../feeds/fixtures.ts'
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

describe('what is asked for in a community that the site does not see to be theirs', () => {
  it('is told where it was asked for, and shows once it is seen', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    const nights: NodeAddress = { service: jidOf('pubsub.montague.example'), node: 'nights' }
    await ctx.network.pubsubOf(JULIET).createNode(nights, { publish_model: 'open' })
    ctx.network.namesNoOwners = true
    await addNode(ctx.index, { address: nights, kind: 'community', now: ctx.clock() })
    const since = new Date(ctx.clock().getTime() - 49 * 3_600_000)
    await saveCommunity(ctx.state, { address: nights, owner: JULIET, since })
    const juliet = await site.signedIn(JULIET)
    await site.signedIn(ROMEO)
    const draft = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }
    const row = await queuePost(ctx, { author: ROMEO, key: 'post', draft, to: nights })
    const { address } = await ctx.outbox.settle(row.id, 30_000)
    const post = await findPost(ctx.index, address)
    assert.ok(typeof post === 'object' && post.comments !== undefined)
    const comment = itemOf(post.comments, 'comment')
    await ctx.network.pubsubOf(MALLORY).publishItem(comment, entryOf({ author: MALLORY }))
    await publishTo(ctx, comment, { payload: entryOf({ author: MALLORY }), publisher: MALLORY })
    // As a server that lets its owner remove what others wrote, later.
    Object.assign(ctx.sessions(JULIET)?.pubsub ?? {}, { retractItem: async () => {}, configureNode: async () => ({}) })
    const path = `/c/${nights.service}/nights/${address.item}`
    const [, removal = ''] = /href="([^"]*\/remove)"/.exec((await juliet.get(path)).body) ?? []
    const answer = await juliet.submit((await juliet.get(removal)).body, '/remove', {})
    const { body } = await juliet.get(String(answer.headers.location))
    // The comment is there: it is no comment that waits to be sent.
    assert.doesNotMatch(body, /waiting to be sent/)
    assert.match(body, /It is being removed\.[^<]*sent to romeo@montague\.example\. It is removed here once it is gone/)
    assert.doesNotMatch(body, /Put it back/)
    assert.match((await site.browser().get(path)).body, /What light/)
    const closing = await juliet.submit(body, '/thread', { action: 'close' })
    assert.match((await juliet.get(String(closing.headers.location))).body, /romeo@montague\.example was asked for it/)
    const page = await juliet.get(`/moderation?about=${encodeURIComponent(writeXmppUri(comment))}`)
    const blocked = await juliet.submit(page.body, '/moderation', { action: 'block' })
    assert.match(blocked.body, /Sent\.[\s\S]*pubsub\.montague\.example was told/)
    assert.doesNotMatch(blocked.body, /Asked:/)
    assert.doesNotMatch(blocked.body, /is blocked, and the comment removed/)
    // Its service does not answer.
    const answering = Promise.withResolvers<void>()
    Object.assign(ctx.sessions(JULIET)?.pubsub ?? {}, { setAffiliation: () => answering.promise })
    const asked = await juliet.submit(page.body, '/moderation', { action: 'block' })
    assert.match(asked.body, /Asked: this site does not see that you own this community/)
    answering.resolve()
    const approved = await juliet.submit(page.body, '/moderation', { action: 'hold' })
    assert.match(approved.body, /Not done\.[\s\S]*does not show this site that you own this community/)
    await ctx.network.pubsubOf(ROMEO).retractItem(comment)
    ctx.setNow(new Date(ctx.clock().getTime() + 3_600_000))
    ctx.outbox.wake(JULIET)
    await until(async () => !(await site.browser().get(path)).body.includes('What light'))
  })
})
