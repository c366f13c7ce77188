import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { restore } from '#server/backup-restore.ts'
import type { Config } from '#server/config.ts'
import { checkData } from '#server/doctor-data.ts'
import { layOut } from '#server/local/layout.ts'
import { run } from '#server/local/run.ts'
import { describeSignIn } from '#server/local/sign-in-hint.ts'
import { openState } from '#server/store/database.ts'

async function makeFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'canto-at-rest-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('a backup that somebody else has made', () => {
  /** Packs the contents of a backup, and more; `spoil` adds something that no backup has. */
  async function pack(folder: string, spoil: (parts: string) => Promise<unknown> = async () => {}): Promise<string> {
    const parts = join(folder, 'parts')
    for (const name of ['local/uploads/one', 'cache/ejabberd', 'restoring-x']) {
      await mkdir(join(parts, name), { recursive: true })
    }
    await writeFile(
      join(parts, 'backup.json'),
      JSON.stringify({ format: 1, createdAt: '2026-11-22', hasLocalServer: true }),
    )
    for (const name of ['state.sqlite', 'secret', 'lock.sqlite', '.env', 'local/ejabberd.yml', 'local/accounts.json']) {
      await writeFile(join(parts, name), `the ${name}`)
    }
    await writeFile(join(parts, 'cache/ejabberd/ejabberdctl'), '#!/bin/sh\n', { mode: 0o755 })
    await writeFile(join(parts, 'local/uploads/one/picture.png'), 'a picture')
    await spoil(parts)
    const file = join(folder, 'backup.tar.gz')
    assert.equal((await run('tar', ['-czf', file, '-C', parts, '.'])).code, 0)
    return file
  }

  it('gives what Canto puts into one, and nothing else: no program, no configuration', async () => {
    await using stack = new AsyncDisposableStack()
    const folder = await makeFolder(stack)
    const data = join(folder, 'data')
    await restore(await pack(folder), data)
    for (const name of ['state.sqlite', 'secret', 'local/accounts.json']) {
      assert.equal(await readFile(join(data, name), 'utf8'), `the ${name}`)
    }
    assert.equal(await readFile(join(data, 'local/uploads/one/picture.png'), 'utf8'), 'a picture')
    for (const name of ['cache', '.env', 'local/ejabberd.yml', 'restoring-x', 'backup.json']) {
      assert.equal(existsSync(join(data, name)), false, name)
    }
  })

  it('is refused whole where anything in it is a link, or a folder in the place of a file', async () => {
    await using stack = new AsyncDisposableStack()
    const spoilt = {
      'a link in uploads': (parts: string) => symlink('/etc', join(parts, 'local/uploads/etc')),
      'a link for a file': async (parts: string) => {
        await rm(join(parts, 'secret'))
        await symlink('/etc/passwd', join(parts, 'secret'))
      },
      'two names of one file': (parts: string) => link(join(parts, 'secret'), join(parts, 'local/identity.pem')),
      'a folder for the state': async (parts: string) => {
        await rm(join(parts, 'state.sqlite'))
        await mkdir(join(parts, 'state.sqlite'))
      },
      'a folder for the secret': async (parts: string) => {
        await rm(join(parts, 'secret'))
        await mkdir(join(parts, 'secret'))
      },
      'a file for the uploads': async (parts: string) => {
        await rm(join(parts, 'local/uploads'), { recursive: true })
        await writeFile(join(parts, 'local/uploads'), 'no folder')
      },
      'no note but a link': async (parts: string) => {
        await rm(join(parts, 'backup.json'))
        await symlink('/etc/hostname', join(parts, 'backup.json'))
      },
    }
    for (const [words, spoil] of Object.entries(spoilt)) {
      const folder = await makeFolder(stack)
      const file = await pack(folder, spoil)
      await assert.rejects(restore(file, join(folder, 'data')), { code: 'bad-request' }, words)
      assert.equal(existsSync(join(folder, 'data/state.sqlite')), false, words)
    }
  })
})

describe('what other users of the machine may read', () => {
  it('is told by the doctor: folder, databases, secrets, .env', async () => {
    await using stack = new AsyncDisposableStack()
    const data = await makeFolder(stack)
    await (await openState(join(data, 'state.sqlite'))).destroy()
    await writeFile(join(data, 'secret'), 'x', { mode: 0o600 })
    await chmod(join(data, 'state.sqlite'), 0o644)
    const check = async () => {
      const found = await checkData({ data } as Config)
      return found.filter(({ subject }) => subject === 'Secrets').map(({ level, mend }) => [level, mend])
    }
    assert.deepEqual(await check(), [['note', undefined]])
    await chmod(data, 0o755)
    await chmod(join(data, 'secret'), 0o640)
    assert.deepEqual(await check(), [
      ['problem', `chmod 700 ${data}`],
      ['problem', `chmod 600 ${join(data, 'secret')}`],
      ['problem', `chmod 600 ${join(data, 'state.sqlite')}`],
    ])
    await chmod(data, 0o700)
    for (const name of ['secret', 'state.sqlite']) await chmod(join(data, name), 0o600)
    assert.deepEqual(await check(), [])

    const folder = process.cwd()
    stack.defer(() => process.chdir(folder))
    process.chdir(data)
    await writeFile('.env', '#CANTO_XMPP_PASSWORD=\nCANTO_PORT=8080\n', { mode: 0o644 })
    assert.deepEqual(await check(), [])
    const ways = [
      'CANTO_XMPP_PASSWORD=secret',
      'export CANTO_XMPP_PASSWORD=secret',
      '  export CANTO_METRICS_TOKEN = "x"',
    ]
    for (const way of ways) {
      await writeFile('.env', `CANTO_PORT=8080\n${way}`)
      assert.deepEqual(await check(), [['problem', `chmod 600 ${join(process.cwd(), '.env')}`]], way)
    }
  })

  it('is not the first password: a terminal is told it, anything else where it is', async () => {
    await using stack = new AsyncDisposableStack()
    const layout = layOut(await makeFolder(stack))
    await mkdir(layout.folder)
    await writeFile(layout.firstPassword, 'old', { mode: 0o644 })
    const firstBlogger = { jid: 'blogger@localhost', password: 'abcd-efgh' } as never
    const local = { layout, firstBlogger, service: 'xmpp://127.0.0.1:5322', certificate: 'certificate.pem' }
    const kept = (await describeSignIn(local, false)).join('\n')
    assert.doesNotMatch(kept, /abcd-efgh/)
    assert.ok(kept.includes(layout.firstPassword))
    assert.equal(await readFile(layout.firstPassword, 'utf8'), 'abcd-efgh\n')
    assert.equal((await stat(layout.firstPassword)).mode & 0o777, 0o600)
    assert.match((await describeSignIn(local, true)).join('\n'), /and the password abcd-efgh/)
    assert.deepEqual(await describeSignIn({ ...local, firstBlogger: undefined }, true), [])
  })
})
