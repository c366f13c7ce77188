import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startProduct } from '../support/product.ts'
import { readHint } from '../support/product-clients.ts'
import { until } from '../support/until.ts'
import { createWebClient } from '../support/web-client.ts'

const POSTS = 30

describe('a site that is stopped in the middle of its work', () => {
  it('ends by itself no later than it would start three times, local server and all, and has every post that it answered', async () => {
    const starting = performance.now()
    await using product = await startProduct()
    const start = performance.now() - starting
    const { password } = await readHint(product)
    const client = createWebClient(() => product.url)
    await client.signIn('blogger@localhost', password)
    const answered: string[] = []
    const sending = Array.from({ length: POSTS }, async (_, i) => {
      const answer = await client
        .submit('/write', '/write', { title: `Post number ${i}`, text: 'Text', action: 'publish' })
        .catch(() => undefined)
      if (answer?.status === 303) answered.push(answer.headers.get('location') ?? '')
    })
    await until(() => answered.length > 2, { what: 'the first answers' })
    const begun = performance.now()
    assert.equal(await product.stop(), 0)
    const took = performance.now() - begun
    await Promise.all(sending)
    console.log(`# stopped in ${Math.round(took)} ms with ${answered.length} of ${POSTS} posts answered`)
    assert.ok(took < 3 * start, `it took ${Math.round(took)} ms, its start ${Math.round(start)}`)
    assert.ok(answered.length < POSTS, 'nothing was under way')

    await product.start()
    for (const path of answered) {
      await until(async () => (await client.get(path)).status === 200, { what: `${path} after the start` })
    }
  })
})
