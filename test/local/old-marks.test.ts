import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { it } from 'node:test'
import Database from 'better-sqlite3'
import { readConfig } from '#server/config.ts'
import { createContext } from '#server/context.ts'
import { createLogger } from '#server/log.ts'
import { openSecret } from '#server/people/secret.ts'
import { addressKey } from '#shared/address.ts'
import { writeContributor } from '#shared/contributor.ts'
import {
  BLOG,
  commentsLink,
  entryOf,
  itemOf,
  JULIET,
  knowBlog,
  publishTo,
  ROMEO,
  THREAD,
} from '#test/feeds/fixtures.ts'
import { createTestContext } from '#test/support/context.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { createCopy } from '#test/support/large-index.ts'
import { until } from '#test/support/until.ts'

const COMMENTS = 2_000

/** An index with comments under marks that do not bind their words, as an older Canto made them, and a new state. */
async function makeOldData(folder: TestFolder): Promise<void> {
  const secret = await openSecret(folder.path)
  const paths = { indexPath: folder.file('index.sqlite'), statePath: folder.file('state.sqlite') }
  const payloadOf = (number: number) => {
    const address = itemOf(THREAD, `comment-${number}`)
    const entry = entryOf({ author: JULIET, name: 'Canto' })
    const mark = secret.sign('contributor', `${ROMEO} message ${addressKey(address)}`)
    return entry.cnode(writeContributor({ jid: ROMEO, name: 'Romeo', how: 'message', mark })).up()
  }
  {
    await using ctx = await createTestContext(paths)
    await knowBlog(ctx)
    const post = entryOf({ author: JULIET, more: commentsLink(THREAD) })
    await publishTo(ctx, itemOf(BLOG, 'balcony'), { payload: post, publisher: JULIET })
    await publishTo(ctx, itemOf(THREAD, 'comment-1'), { payload: payloadOf(1), publisher: JULIET })
  }
  const database = new Database(paths.indexPath)
  database.function('payload_of', (number) => String(payloadOf(Number(number))))
  database.exec(`UPDATE entry SET contributor = '${ROMEO}' WHERE is_post = 0`)
  const values = { item: `'comment-' || n`, payload: 'payload_of(n)', contributor: `'${ROMEO}'` }
  createCopy(database, COMMENTS)('entry', { of: 'is_post = 0', where: 'n > 1', values })
  database.close()
}

it('the words under old marks are recorded before anybody on the network is spoken to', async () => {
  await using folder = await createTestFolder()
  await makeOldData(folder)
  let recorded: unknown
  const server = createServer((socket) => {
    socket.destroy()
    const state = new Database(folder.file('state.sqlite'), { readonly: true })
    recorded ??= state.prepare('SELECT count(*) FROM marked_words').pluck().get()
    state.close()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const config = readConfig({
    CANTO_URL: 'https://blog.example',
    CANTO_DATA: folder.path,
    CANTO_XMPP_JID: 'canto@capulet.example',
    CANTO_XMPP_PASSWORD: 'secret',
    CANTO_XMPP_SERVICE: `xmpp://127.0.0.1:${(server.address() as AddressInfo).port}`,
  })
  const context = await createContext({ config, log: createLogger({ write: () => {} }), local: undefined })
  try {
    await until(() => recorded !== undefined)
  } finally {
    await context[Symbol.asyncDispose]()
    server.close()
  }
  assert.equal(recorded, COMMENTS)
})
