import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { trustCertificate } from '#server/local/trust.ts'
import { silentLogger } from '#server/log.ts'
import { openSession } from '#server/xmpp/session.ts'
import { asItemId } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { parseXml } from '#shared/xml.ts'
import { type Product, startProduct } from '#test/support/product.ts'
import { until } from '#test/support/until.ts'
import { createWebClient } from '#test/support/web-client.ts'

const pageOf = async (url: string) => (await fetch(url)).status

describe('the operator’s commands', () => {
  let product: Product
  before(async () => {
    product = await startProduct()
  })
  after(() => product?.[Symbol.asyncDispose]())

  it('find nothing wrong with a new site', async () => {
    const words = await product.canto('doctor')
    for (const subject of ['Database', 'Web', 'Account', 'Services', 'Clock', 'Blog node', 'Comments', 'Blogs']) {
      assert.match(words, new RegExp(`^✓ ${subject} `, 'm'))
    }
    assert.doesNotMatch(words, /^[!✗]/m)
  })

  it('make, list and remove accounts while the server runs, and their blogs come and go', async () => {
    assert.match(
      await product.canto('user', 'add', 'juliet@localhost', '--password', 'balcony'),
      /was added, with a blog/,
    )
    await until(async () => (await pageOf(`${product.url}/@juliet`)) === 200, { what: 'her blog' })
    const list = await product.canto('user', 'list')
    assert.match(list, /^canto@localhost the site$/m)
    assert.match(list, /^blogger@localhost operator$/m)
    assert.match(list, /^juliet@localhost author$/m)
    assert.match(await product.canto('user', 'password', 'juliet@localhost', '--password', 'tomb'), /was changed/)
    assert.match(await product.canto('user', 'remove', 'juliet@localhost'), /was removed/)
    await product.canto('user', 'remove', 'blogger@localhost')
    await until(async () => [404, 410].includes(await pageOf(`${product.url}/@juliet`)), { what: 'her blog to go' })
    await product.stop()
    await product.start()
    assert.doesNotMatch(await product.canto('user', 'list'), /blogger@/)
  })

  it('change a password, which ends the wait after too many wrong ones', async () => {
    await product.canto('user', 'add', 'mercutio', '--password', 'balcony')
    const client = createWebClient(() => product.url)
    const signIn = async (password: string) =>
      (await client.submit('/signin', '/signin', { jid: 'mercutio', password })).status
    for (let n = 0; n < 5; n++) assert.equal(await signIn('forgotten'), 401)
    assert.equal(await signIn('balcony'), 429)
    await product.canto('user', 'password', 'mercutio', '--password', 'tomb')
    assert.equal(await signIn('tomb'), 303)
  })

  it('say what is wrong, in words', async () => {
    await product.canto('user', 'add', 'romeo', '--password', 'x')
    const refusals: [string[], RegExp][] = [
      [['user', 'add', 'romeo', '--password', 'x'], /exists already/],
      [['user', 'add', 'romeo@elsewhere.example', '--password', 'x'], /not an account of the local server/],
      [['user', 'password', 'nobody', '--password', 'x'], /There is no account nobody@localhost/],
      [['user', 'remove', 'canto'], /the account of the site itself/],
      [['user', 'add'], /Usage: npm run canto -- user add JID/],
      [['dance'], /There is no command "dance"/],
      [['follow', 'elsewhere.example'], /no blog/],
      [['unfollow', 'romeo@elsewhere.example'], /does not follow romeo@elsewhere\.example\. It follows:\n {2}nothing/],
      [['backup', '/nowhere/at/all/b.tar.gz'], /Cannot write to \/nowhere\/at\/all: There is no such folder/],
      [['restore', '/nowhere/file'], /There is no file/],
    ]
    for (const [command, words] of refusals) {
      await assert.rejects(product.canto(...command), (error: Error) => {
        assert.match(error.message, words)
        assert.doesNotMatch(error.message, /^\s+at /m)
        return true
      })
    }
  })

  it('back up while the server runs, and restore into another folder, with the same pages', async () => {
    await using product = await startProduct()
    await product.canto('user', 'add', 'juliet@localhost', '--password', 'balcony')
    await publish(product, 'juliet', 'balcony')
    const paths = ['/', '/@juliet', '/@juliet/a-rose', '/@juliet/atom.xml']
    const { url } = product
    await until(async () => (await pageOf(`${url}/@juliet/a-rose`)) === 200, { what: 'her post' })
    const before = await Promise.all(paths.map((path) => textOf(url + path)))

    const folder = await mkdtemp(join(tmpdir(), 'canto-backup-'))
    try {
      const file = join(folder, 'site.tar.gz')
      await product.canto('backup', file)
      assert.equal((await stat(file)).mode & 0o077, 0)
      await assert.rejects(product.canto('restore', file), /already uses the data folder/)
      await product.stop()
      await assert.rejects(product.canto('restore', file), /There is a site in .* already/)

      const env = { ...product.env, CANTO_DATA: join(folder, 'data') }
      restore(file, env)
      await using other = await startProduct(env)
      assert.deepEqual(await Promise.all(paths.map((path) => textOf(url + path))), before)
      assert.match(await other.canto('user', 'list'), /^juliet@localhost author$/m)
      // The posts themselves are there, too, not only their pages.
      await other.canto('reindex')
      await publish({ ...other, xmppPort: product.xmppPort }, 'juliet', 'balcony', 'another-rose')
      await until(async () => (await pageOf(`${url}/@juliet/another-rose`)) === 200, { what: 'another post' })
      assert.equal(await pageOf(`${url}/@juliet/a-rose`), 200)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

function restore(file: string, env: Record<string, string>): void {
  const { status, stderr } = spawnSync(process.execPath, ['server/canto.ts', 'restore', file], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
}

/** Without the version, which also changes when the site has looked for reactions: that may come after the page. */
const textOf = async (url: string) => (await (await fetch(url)).text()).replace(/ data-version="[^"]*"/g, '')

/** From another client, over XMPP. */
async function publish(
  { data, xmppPort }: Pick<Product, 'data' | 'xmppPort'>,
  user: string,
  password: string,
  item = 'a-rose',
): Promise<void> {
  trustCertificate(await readFile(join(data, 'local/certificate.pem'), 'utf8'))
  const jid = readBareJid(`${user}@localhost`) as BareJid
  const session = openSession({
    jid,
    service: `xmpp://127.0.0.1:${xmppPort}`,
    credentials: () => ({ password }),
    userAgentId: randomUUID(),
    isSite: false,
    log: silentLogger,
  })
  try {
    await session.whenOnline(30_000)
    const entry = `<entry xmlns='${NS.ATOM}'><title type='text'>By any other name</title><id>${item}</id>
      <published>2026-11-22T12:00:00Z</published><updated>2026-11-22T12:00:00Z</updated></entry>`
    const payload = parseXml(entry)
    assert.ok(payload)
    await session.pubsub.publishItem({ service: jid, node: NS.MICROBLOG, item: asItemId(item) }, payload)
  } finally {
    await session.stop()
  }
}
