import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findFreePort } from '#test/support/free-port.ts'
import { useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'

const root = join(import.meta.dirname, '../..')
const cache = process.env.CANTO_TEST_CACHE ?? join(root, 'data/cache')

type Env = Record<string, string>

async function prepare(stack: AsyncDisposableStack): Promise<Env & { CANTO_DATA: string }> {
  const data = await mkdtemp(join(tmpdir(), 'canto-main-'))
  stack.defer(() => rm(data, { recursive: true, force: true }))
  return {
    CANTO_TEST_CACHE: cache,
    CANTO_DATA: data,
    CANTO_PORT: String(await findFreePort()),
    CANTO_LOCAL_XMPP_PORT: String(await findFreePort()),
    CANTO_LOCAL_HTTP_PORT: String(await findFreePort()),
  }
}

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

function startMain(env: Env, uid?: number): Running {
  const child = spawn(process.execPath, ['server/main.ts'], { cwd: root, env: { ...process.env, ...env }, uid })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (text += chunk))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, output: () => text, ended }
}

/** It ends by itself, with 1 and without a stack trace; what it said is the answer. */
async function fail(env: Env, uid?: number): Promise<string> {
  const { output, ended } = startMain(env, uid)
  assert.equal(await ended, 1)
  assert.doesNotMatch(output(), /^\s+at /m)
  // On a busy machine steps take over a second, and say so first.
  return output().replace(/^.* …\n/gm, '')
}

describe('npm start', () => {
  it('says when it is ready and how to sign in, keeps everything, and stops with what it started', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack)
    const hints: (string | undefined)[] = []
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, output, ended } = startMain(env)
      await until(() => output().includes('XMPP clients on this machine'), { what: 'how to sign in' })
      assert.match(output(), new RegExp(`^Canto is ready at http://localhost:${env.CANTO_PORT}$`, 'm'))
      assert.match(output(), new RegExp(`port ${env.CANTO_LOCAL_XMPP_PORT}, certificate ${env.CANTO_DATA}`))
      const hint = output().match(/Sign in with the XMPP address \S+: its password is in (.*)/)
      hints.push(hint?.[0])
      // Output to no terminal may be kept by its reader: the password is not in it.
      const password = (await readFile(hint?.[1] ?? '', 'utf8')).trim()
      assert.match(password, /^\w{4}(-\w{4}){3}$/)
      assert.doesNotMatch(output(), new RegExp(password))
      const made = [
        '.',
        'state.sqlite',
        'index.sqlite',
        'secret',
        'local',
        'local/first-password',
        'local/ejabberd.sqlite',
      ]
      for (const name of made) assert.equal((await stat(join(env.CANTO_DATA, name))).mode & 0o077, 0, name)
      assert.equal((await fetch(`http://127.0.0.1:${env.CANTO_PORT}/`)).status, 200)
      const pid = (await readFile(join(env.CANTO_DATA, 'local/ejabberd.pid'), 'utf8')).trim()
      child.kill(signal)
      assert.equal(await ended, 0)
      assert.equal(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '')
    }
    assert.equal(hints[0], hints[1])
  })

  it('refuses a data folder that another Canto uses', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack)
    const first = startMain(env)
    await until(() => first.output().includes('Canto is ready'), { what: 'the first' })
    const words = await fail({ ...env, CANTO_PORT: String(await findFreePort()) })
    assert.match(words, new RegExp(`^Another Canto \\(process ${first.child.pid}\\) already uses`))
    first.child.kill('SIGTERM')
    await first.ended
  })

  it('lists all mistakes of the configuration', async () => {
    const words = await fail({ CANTO_PORT: 'eighty', CANTO_URL: 'blog', CANTO_XMPP_JID: 'canto' })
    assert.match(words, /^The configuration has 3 mistakes:\n( {2}- CANTO_.*\n){3}$/)
  })

  it('names a taken port', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack)
    const other = createServer().listen(Number(env.CANTO_PORT), '127.0.0.1')
    stack.defer(() => void other.close())
    await once(other, 'listening')
    assert.match(await fail(env), new RegExp(`^Port ${env.CANTO_PORT} is taken .*CANTO_PORT.*\n$`))
  })

  it('names a data folder that it may not use', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack)
    await chmod(env.CANTO_DATA, 0o500)
    // Root may do everything, so the process is somebody else.
    const isRoot = process.getuid?.() === 0
    const uid = isRoot ? Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout) : undefined
    if (uid !== undefined) await chown(env.CANTO_DATA, uid, uid)
    assert.match(await fail(env, uid), /^Cannot use the data folder .* this user may not.*CANTO_DATA.*\n$/)
    await writeFile(join(tmpdir(), `${env.CANTO_PORT}.txt`), '')
    stack.defer(() => rm(join(tmpdir(), `${env.CANTO_PORT}.txt`)))
    const file = { ...env, CANTO_DATA: join(tmpdir(), `${env.CANTO_PORT}.txt`) }
    assert.match(await fail(file), /^Cannot use the data folder .* is a file.*\n$/)
  })

  it('points to the doctor when a database is damaged', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack)
    await writeFile(join(env.CANTO_DATA, 'state.sqlite'), 'x'.repeat(5000))
    assert.match(await fail(env), /A database in CANTO_DATA cannot be used .*doctor/)
  })

  it('names a wrong password and a server that is down', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack)
    const { ejabberd } = stack.use(await useRig({ servers: ['ejabberd'] }))
    const user = `site${env.CANTO_PORT}`
    await ejabberd.register(user, 'right')
    const ca = join(env.CANTO_DATA, 'ca.pem')
    await writeFile(ca, ejabberd.certificate)
    const account = {
      ...env,
      NODE_EXTRA_CA_CERTS: ca,
      CANTO_XMPP_JID: `${user}@${ejabberd.domain}`,
      CANTO_XMPP_SERVICE: ejabberd.service,
    }
    const refused = await fail({ ...account, CANTO_XMPP_PASSWORD: 'wrong' })
    assert.match(refused, /^The XMPP server refused the password of .*CANTO_XMPP_PASSWORD\n$/)
    const service = `xmpp://127.0.0.1:${await findFreePort()}`
    const down = await fail({ ...account, CANTO_XMPP_PASSWORD: 'right', CANTO_XMPP_SERVICE: service })
    assert.match(down, /Cannot get .* online at xmpp:.*refuses connections.*check that it runs/)
  })
})
