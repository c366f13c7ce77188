import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openIndex } from '#server/store/database.ts'
import { startProduct } from '#test/support/product.ts'
import { readHint } from '#test/support/product-clients.ts'
import { createWebClient } from '#test/support/web-client.ts'

describe('doctor --deep', () => {
  it('compares every node with the index and the outbox, and names what is missing', async () => {
    await using product = await startProduct()
    const { password } = await readHint(product)
    const client = createWebClient(() => product.url)
    await client.signIn('blogger@localhost', password)
    await client.submit('/write', '/write', { title: 'A rose', text: 'Any other name', action: 'publish' })
    assert.match(await product.canto('doctor', '--deep'), /^✓ Deep .*have what the nodes have$/m)
    const index = await openIndex(join(product.data, 'index.sqlite'))
    await index.deleteFrom('entry').execute()
    await index.destroy()
    await assert.rejects(
      product.canto('doctor', '--deep'),
      /✗ Deep .*xmpp:blogger@localhost.*a-rose.*\n +Run this again/,
    )
  })
})
