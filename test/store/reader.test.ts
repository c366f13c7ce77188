import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openState } from '#server/store/database.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import {
  findFeedCounter,
  forgetReader,
  publishesFollows,
  saveFeedCounter,
  savePublishesFollows,
} from '#server/store/reader.ts'
import { isWanted } from '#server/store/wanted-node.ts'
import type { BareJid } from '#shared/jid.ts'

const juliet = 'juliet@capulet.example' as BareJid
const romeo = 'romeo@montague.example' as BareJid

describe('Somebody who reads here', () => {
  it('lets nobody know what they follow unless they say so', async () => {
    const state = await openState(':memory:')
    assert.equal(await publishesFollows(state, juliet), false)
    await saveFeedCounter(state, juliet, 7)
    await savePublishesFollows(state, juliet, true)
    assert.equal(await publishesFollows(state, juliet), true)
    assert.equal(await findFeedCounter(state, juliet), 7)
    await savePublishesFollows(state, juliet, false)
    assert.equal(await publishesFollows(state, juliet), false)
    await state.destroy()
  })

  it('is forgotten with the account, and so are the address of their feeds and what only they followed', async () => {
    const state = await openState(':memory:')
    const since = new Date()
    for (const node of ['a', 'b'])
      await addFollow(state, { follower: juliet, address: { service: romeo, node }, since })
    await addFollow(state, { follower: SITE, address: { service: romeo, node: 'b' }, since })
    await saveFeedCounter(state, juliet, 7)
    await saveFeedCounter(state, romeo, 8)
    await forgetReader(state, juliet)
    assert.equal(await findFeedCounter(state, juliet), undefined)
    assert.equal(await findFeedCounter(state, romeo), 8)
    assert.equal(await isWanted(state, { service: romeo, node: 'a' }), false)
    assert.equal(await isWanted(state, { service: romeo, node: 'b' }), true)
    await state.destroy()
  })
})
