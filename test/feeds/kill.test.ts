import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { blogOf } from '#server/feeds/indexing.ts'
import { openIndex, openState } from '#server/store/database.ts'
import { listWaiting } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { type Rig, type RigServer, startRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))
const POSTS = 60
const SEED = 20261122

/** Small, and the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface Writer extends AsyncDisposable {
  /** Resolves with the item once the row is stored; rejects when the writer dies first. */
  post(key: string): Promise<string>
  kill(): Promise<void>
}

async function startWriter(server: RigServer, folder: TestFolder, user: string): Promise<Writer> {
  const child: ChildProcess = spawn(
    process.execPath,
    [WRITER, folder.path, server.service, `${user}@${server.domain}`, `password of ${user}`],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_EXTRA_CA_CERTS: folder.file('ca.pem') } },
  )
  const answers = new Map<string, string>()
  const exited = once(child, 'exit')
  let isReady = false
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  if (child.stdout === null) throw new Error('The writer has no output')
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [key = '', item] = line.split(' ')
    if (item === undefined) isReady = true
    else answers.set(key, item)
  })
  await until(() => isReady || child.exitCode !== null, { what: 'the writer to begin' })
  assert.equal(child.exitCode, null, 'the writer is alive')
  return {
    async post(key) {
      child.stdin?.write(`${key}\n`)
      return until(() => answers.get(key), { what: `the answer to ${key}` })
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

describe('the outbox', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig({ servers: ['ejabberd'] })
  })
  after(() => rig.stop())

  async function prepare(...users: string[]): Promise<TestFolder> {
    const folder = await createTestFolder()
    await writeFile(folder.file('ca.pem'), rig.ejabberd.certificate)
    for (const user of users) await rig.ejabberd.register(user, `password of ${user}`)
    return folder
  }

  it('brings every answered post to its node once, whenever Canto is killed and the server restarted', async () => {
    await using folder = await prepare('writer', 'reader')
    const server = rig.ejabberd
    const random = createRandom(SEED)
    const answered = new Map<string, string>()
    const heard = new Map<string, number>()

    let writer = await startWriter(server, folder, 'writer')
    await using stack = new AsyncDisposableStack()
    stack.defer(() => writer.kill())
    const blog = blogOf(`writer@${server.domain}` as BareJid)
    await using reader = openTestSession(server, 'reader', { isSite: true })
    await reader.whenOnline(30_000)
    await reader.pubsub.subscribeNode(blog)
    reader.onPubsubEvent((event) => {
      if (event.kind === 'published' && event.address.node === blog.node) {
        heard.set(event.address.item, (heard.get(event.address.item) ?? 0) + 1)
      }
    })

    for (let i = 0; i < POSTS; i++) {
      const key = `post-${i}`
      answered.set(key, await writer.post(key))
      if (i % 6 === 5) {
        // At any moment of what is under way: before, within or after the publication.
        await sleep(random() * 40)
        await writer.kill()
        writer = await startWriter(server, folder, 'writer')
        // The browser that had no answer sends its form again.
        assert.equal(await writer.post(key), answered.get(key))
      }
      if (i === 20 || i === 40) await server.restart()
    }
    await checkAll({ folder, blog, answered, session: reader })
    assert.ok(
      [...heard.values()].every((count) => count === 1),
      'no post was published twice',
    )
  })

  it('sends again what a killed server had acknowledged and lost', async () => {
    await using folder = await prepare('unlucky', 'witness')
    const server = rig.ejabberd
    await using writer = await startWriter(server, folder, 'unlucky')
    // Stopped in order, it writes the accounts and the node to its disk; what comes next it writes later.
    await server.restart()
    const answered = new Map<string, string>()
    for (let i = 0; i < 10; i++) answered.set(`post-${i}`, await writer.post(`post-${i}`))
    const blog = blogOf(`unlucky@${server.domain}` as BareJid)
    await until(async () => (await countWaiting(folder, blog.service)) === 0)
    await server.kill()
    await server.start()
    await using reader = openTestSession(server, 'witness')
    await reader.whenOnline(30_000)
    await checkAll({ folder, blog, answered, session: reader })
  })
})

async function countWaiting(folder: TestFolder, account: BareJid): Promise<number> {
  const state = await openState(folder.file('state.sqlite'))
  const rows = await listWaiting(state, account)
  await state.destroy()
  return rows.length
}

interface Check {
  readonly folder: TestFolder
  readonly blog: NodeAddress
  readonly answered: ReadonlyMap<string, string>
  readonly session: XmppSession
}

/** Node and index hold each answered post once, and nothing else. */
async function checkAll({ folder, blog, answered, session }: Check): Promise<void> {
  const items = [...answered.values()].sort()
  assert.equal(new Set(items).size, answered.size)
  await until(
    async () => {
      const found: string[] = []
      for await (const page of session.pubsub.allItems(blog)) found.push(...page.map(({ id }) => id))
      assert.deepEqual(found.sort(), items)
      return true
    },
    { what: `${items.length} posts in the node`, timeout: 60_000 },
  )
  const index = await openIndex(folder.file('index.sqlite'))
  try {
    for (const item of items) {
      const post = await until(() => findPost(index, { ...blog, item: asItemId(item) }), {
        what: `${item} in the index`,
      })
      assert.ok(post !== 'gone')
    }
    const { n } = await index
      .selectFrom('entry')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    assert.equal(n, items.length)
  } finally {
    await index.destroy()
  }
}
