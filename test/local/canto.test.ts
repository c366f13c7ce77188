import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startProduct } from '#test/support/product.ts'
import { until } from '#test/support/until.ts'

const pageOf = async (url: string) => (await fetch(url)).status

describe('the operator’s commands', () => {
  it('make, list and remove accounts while the server runs, and their blogs come and go', async () => {
    await using product = await startProduct()
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

  it('say what is wrong, in words', async () => {
    await using product = await startProduct()
    await product.canto('user', 'add', 'romeo', '--password', 'x')
    const refusals: [string[], RegExp][] = [
      [['user', 'add', 'romeo', '--password', 'x'], /exists already/],
      [['user', 'add', 'romeo@elsewhere.example', '--password', 'x'], /not an account of the local server/],
      [['user', 'password', 'nobody', '--password', 'x'], /There is no account nobody@localhost/],
      [['user', 'remove', 'canto'], /the account of the site itself/],
      [['user', 'add'], /Usage: npm run canto -- user add JID/],
      [['dance'], /There is no command "dance"/],
      [['follow', 'romeo@elsewhere.example'], /cannot follow/],
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

  it('find nothing wrong with a new site', async () => {
    await using product = await startProduct()
    const words = await product.canto('doctor')
    for (const subject of ['Database', 'Web', 'Account', 'Services', 'Clock', 'Blog node', 'Comments', 'Blogs']) {
      assert.match(words, new RegExp(`^✓ ${subject} `, 'm'))
    }
    assert.doesNotMatch(words, /^[!✗]/m)
  })

  it('back up while the server runs, and restore into another folder', async () => {
    await using product = await startProduct()
    await product.canto('user', 'add', 'juliet@localhost', '--password', 'balcony')
    await until(async () => (await pageOf(`${product.url}/@juliet`)) === 200, { what: 'her blog' })
    const folder = await mkdtemp(join(tmpdir(), 'canto-backup-'))
    try {
      const file = join(folder, 'site.tar.gz')
      await product.canto('backup', file)
      assert.equal((await stat(file)).mode & 0o077, 0)
      await assert.rejects(product.canto('restore', file), /already uses the data folder/)
      await product.stop()
      await assert.rejects(product.canto('restore', file), /There is a site in .* already/)

      const data = join(folder, 'data')
      const restored = spawnSync(process.execPath, ['server/canto.ts', 'restore', file], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, CANTO_DATA: data },
        encoding: 'utf8',
      })
      assert.equal(restored.status, 0, restored.stderr)
      await using other = await startProduct({ CANTO_DATA: data })
      assert.equal(await pageOf(`${other.url}/@juliet`), 200)
      assert.match(await other.canto('user', 'list'), /^juliet@localhost author$/m)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
