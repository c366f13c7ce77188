import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addReadMarks, deleteReadMarks, listReadMarks } from '#server/store/read-mark.ts'
import { addressKey } from '#shared/address.ts'
import { createTestContext, jidOf } from '#test/support/context.ts'
import { BLOG, itemOf, JULIET, ROMEO } from '../feeds/fixtures.ts'

const OTHER = { service: jidOf('pubsub.capulet.example'), node: BLOG.node }

describe('a read mark', () => {
  it('is of one person and one post, wherever the same item id is used too', async () => {
    await using ctx = await createTestContext()
    const address = itemOf(BLOG, 'balcony')
    const asked = [address, itemOf(BLOG, 'tomb'), itemOf(OTHER, 'balcony')]
    for (const at of [new Date(1000), new Date(2000)])
      await addReadMarks(ctx.state, ROMEO, { addresses: [address], at })
    assert.deepEqual([...(await listReadMarks(ctx.state, ROMEO, asked))], [addressKey(address)])
    assert.equal((await listReadMarks(ctx.state, JULIET, asked)).size, 0)
    assert.equal((await listReadMarks(ctx.state, ROMEO, asked.slice(1))).size, 0)
  })

  it('is forgotten once everything until then counts as read', async () => {
    await using ctx = await createTestContext()
    const [early, late] = [itemOf(BLOG, 'early'), itemOf(BLOG, 'late')]
    await addReadMarks(ctx.state, ROMEO, { addresses: [early], at: new Date(1000) })
    await addReadMarks(ctx.state, ROMEO, { addresses: [late], at: new Date(3000) })
    await addReadMarks(ctx.state, JULIET, { addresses: [early], at: new Date(1000) })
    await deleteReadMarks(ctx.state, ROMEO, new Date(2000))
    assert.deepEqual([...(await listReadMarks(ctx.state, ROMEO, [early, late]))], [addressKey(late)])
    assert.equal((await listReadMarks(ctx.state, JULIET, [early])).size, 1)
  })
})
