import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { markLeft } from '#server/store/emptying.ts'
import { countEntries } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { createTestContext } from '#test/support/context.ts'
import { growThread } from '#test/support/long-thread.ts'
import { startProduct } from '#test/support/product.ts'
import { useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from '../feeds/fixtures.ts'

/** Far more than is forgotten before Canto is ready. */
const COMMENTS = 60_000

/** A data folder whose index has a large thread that its post no longer links to. */
async function makeData(stack: AsyncDisposableStack): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'canto-stopping-'))
  stack.defer(() => rm(data, { recursive: true, force: true }))
  await using ctx = await createTestContext({ indexPath: join(data, 'index.sqlite') })
  await knowBlog(ctx)
  const post = itemOf(BLOG, 'balcony')
  await publishTo(ctx, post, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
  await growThread(ctx.index, { like: 'c0', count: COMMENTS })
  await ctx.index
    .updateTable('entry')
    .set({ commentsService: null, commentsNode: null })
    .where('isPost', '=', 1)
    .execute()
  await markLeft(ctx.index, THREAD)
  return data
}

/** How many of the comments are left; undefined once the thread is forgotten. */
async function countLeft(data: string): Promise<number | undefined> {
  await using ctx = await createTestContext({ indexPath: join(data, 'index.sqlite') })
  const thread = await findNode(ctx.index, THREAD)
  return thread && countEntries(ctx.index, thread.id)
}

describe('while a large thread is being forgotten', () => {
  it('SIGTERM is heard at once, and what is left is forgotten by the next processes, however they end', async () => {
    await using stack = new AsyncDisposableStack()
    const data = await makeData(stack)
    const { ejabberd } = stack.use(await useRig({ servers: ['ejabberd'] }))
    const user = `site-${randomUUID().slice(0, 8)}`
    await ejabberd.register(user, 'secret')
    await writeFile(join(data, 'ca.pem'), ejabberd.certificate)
    const product = stack.use(
      await startProduct({
        CANTO_DATA: data,
        CANTO_XMPP_JID: `${user}@${ejabberd.domain}`,
        CANTO_XMPP_PASSWORD: 'secret',
        CANTO_XMPP_SERVICE: ejabberd.service,
        NODE_EXTRA_CA_CERTS: join(data, 'ca.pem'),
      }),
    )
    let former = COMMENTS
    const fewer = async () => {
      const left = await countLeft(data)
      return left !== undefined && left < former && left
    }
    await until(fewer, { what: 'the work to go on' })
    assert.equal(await product.stop(), 0)
    assert.match(product.output(), /^Stopping$/m)
    assert.doesNotMatch(product.output(), /failed/)
    former = (await countLeft(data)) ?? 0
    assert.ok(former > 0, 'the signal came before the work was done')

    await product.start()
    await until(fewer, { what: 'the work to go on in the next process' })
    await product.kill()
    former = (await countLeft(data)) ?? 0
    assert.ok(former > 0, 'nor was it done when the next one was killed')

    await product.start()
    await until(async () => (await countLeft(data)) === undefined, { what: 'the end of the work', timeout: 120_000 })
    assert.equal(await product.stop(), 0)
  })
})
