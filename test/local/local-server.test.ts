import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readConfig } from '#server/config.ts'
import { startLocalServer } from '#server/local/local-server.ts'
import { trustCertificate } from '#server/local/trust.ts'
import { createLogger, silentLogger } from '#server/log.ts'
import { USUAL_BOUNDS } from '#server/store/keeps.ts'
import { openSession } from '#server/xmpp/session.ts'
import { findFreePort } from '#test/support/free-port.ts'
import { until } from '#test/support/until.ts'

const root = join(import.meta.dirname, '../..')
const cache = process.env.CANTO_TEST_CACHE ?? join(root, 'data/cache')

/** A data folder of its own, whose name needs care wherever a path is written into a configuration. */
async function prepare(stack: AsyncDisposableStack) {
  const data = await mkdtemp(join(tmpdir(), "canto local's ü-"))
  stack.defer(() => rm(data, { recursive: true, force: true }))
  const env = {
    CANTO_TEST_CACHE: cache,
    CANTO_DATA: data,
    CANTO_PORT: String(await findFreePort()),
    CANTO_LOCAL_XMPP_PORT: String(await findFreePort()),
    CANTO_LOCAL_HTTP_PORT: String(await findFreePort()),
  }
  return { data, env, config: readConfig(env) }
}

const pidOf = async (data: string) => Number(await readFile(join(data, 'local/ejabberd.pid'), 'utf8'))

/** A process that ended has no command line, even while nobody has asked how it ended. */
async function isAlive(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.includes('beam')
}

describe('the local server', () => {
  it('starts, keeps its accounts for the next start, and forgets the first password once somebody signed in', async () => {
    await using stack = new AsyncDisposableStack()
    const { data, config } = await prepare(stack)
    const first = await startLocalServer(config, silentLogger)
    const shown = first.firstBlogger
    assert.equal(shown?.jid, 'blogger@localhost')
    assert.deepEqual(await first.listUsers(), ['blogger@localhost', 'canto@localhost'])
    assert.equal((await stat(join(data, 'local/accounts.json'))).mode & 0o077, 0)
    assert.equal((await stat(join(data, 'local'))).mode & 0o077, 0)
    await first.stop()
    assert.equal(await isAlive(await pidOf(data)), false)

    const second = stack.use(await startLocalServer(config, silentLogger))
    assert.deepEqual(second.firstBlogger, shown)
    assert.equal(second.password, first.password)
    await second.firstSignInDone()
    assert.equal(second.firstBlogger, undefined)
    assert.equal((await readFile(join(data, 'local/accounts.json'), 'utf8')).includes(shown?.password ?? ''), false)
  })

  it('lets the site account sign in over TLS, with PEP, PubSub, rooms and uploads', async () => {
    await using stack = new AsyncDisposableStack()
    const { data, config } = await prepare(stack)
    const local = stack.use(await startLocalServer(config, silentLogger))
    trustCertificate(local.caCertificate)
    const session = openSession({
      jid: local.jid,
      service: local.service,
      credentials: () => ({ password: local.password }),
      userAgentId: 'e0a3b1a0-0000-4000-8000-000000000001',
      isSite: false,
      log: silentLogger,
    })
    stack.defer(() => session.stop())
    await session.whenOnline(30_000)
    const services = await session.readServices()
    assert.equal(services.pep, true)
    assert.equal(services.pubsub, 'pubsub.localhost')
    assert.equal(services.mix, 'mix.localhost')
    assert.equal(services.upload?.jid, 'upload.localhost')
    // Uploads of an account are bounded, by the file and in all.
    const file = { name: 'picture.png', type: 'image/png' }
    await assert.rejects(async () => session.requestUploadSlot?.({ ...file, size: 21_000_000 }), { code: 'too-large' })
    const slot = await session.requestUploadSlot?.({ ...file, size: 15_000_000 })
    assert.match(slot?.put ?? '', /picture\.png$/)
    assert.deepEqual(await local.measureUploads(local.jid), { rows: 0, bytes: 0 })
    const small = await session.requestUploadSlot?.({ ...file, size: 1_000 })
    const put = { method: 'PUT', body: Buffer.alloc(1_000), headers: { 'content-type': file.type, ...small?.headers } }
    assert.equal((await fetch(String(small?.put), put)).status, 201)
    assert.deepEqual(await local.measureUploads(local.jid), { rows: 1, bytes: 1_000 })
    const written = JSON.parse(await readFile(join(data, 'local/ejabberd.yml'), 'utf8'))
    const quota = written.modules.mod_http_upload_quota
    const [soft, hard] = [quota.access_soft_quota, quota.access_hard_quota].map((rule) => written.shaper_rules[rule])
    assert.ok(hard <= 10_000)
    // ejabberd deletes the oldest files down to the soft one: Canto refuses long before that.
    assert.ok(soft < hard && USUAL_BOUNDS.uploads.bytes < soft * 1_000_000)
    assert.doesNotMatch(await readFile(join(data, 'local/logs/ejabberd.log'), 'utf8').catch(() => ''), /quota/)
  })

  it('is started again when it dies', async () => {
    await using stack = new AsyncDisposableStack()
    const { data, config } = await prepare(stack)
    const lines: string[] = []
    const local = stack.use(await startLocalServer(config, createLogger({ write: (line) => lines.push(line) })))
    const pid = await pidOf(data)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await pidOf(data)) !== pid, { what: 'another process' })
    await until(
      () =>
        local.listUsers().then(
          (users) => users.length === 2,
          () => false,
        ),
      { what: 'its answer' },
    )
    assert.match(lines.join('\n'), /died: starting it again/)
  })

  it('ends with a Canto that was killed, and the next Canto starts all the same', async () => {
    await using stack = new AsyncDisposableStack()
    const { data, env, config } = await prepare(stack)
    const script = join(root, 'test/local/start-local-server.ts')
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    assert.match(String(line), /started/)
    const pid = await pidOf(data)
    child.kill('SIGKILL')
    await once(child, 'exit')
    // At once, while the orphan may still be stopping.
    const next = stack.use(await startLocalServer(config, silentLogger))
    assert.equal((await next.listUsers()).length, 2)
    assert.equal(await isAlive(pid), false)
  })

  it('runs as an ordinary user', async () => {
    await using stack = new AsyncDisposableStack()
    const { data, env } = await prepare(stack)
    const isRoot = process.getuid?.() === 0
    const uid = isRoot ? Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout) : process.getuid?.()
    if (isRoot && uid !== undefined) chownSync(data, uid, uid)
    const script = join(root, 'test/local/start-local-server.ts')
    const child = spawn(process.execPath, [script, 'once'], {
      env: { ...process.env, ...env, HOME: data },
      ...(isRoot ? { uid, gid: uid } : {}),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    assert.equal((await stat(join(data, 'local/ejabberd.sqlite'))).uid, uid)
  })

  it('says which port is taken and which setting changes it', async () => {
    await using stack = new AsyncDisposableStack()
    const { config } = await prepare(stack)
    const other = createServer().listen(config.local.xmppPort, '127.0.0.1')
    stack.defer(() => void other.close())
    await once(other, 'listening')
    await assert.rejects(startLocalServer(config, silentLogger), {
      name: 'AppError',
      message: new RegExp(`^Port ${config.local.xmppPort} is taken .*CANTO_LOCAL_XMPP_PORT`),
    })
  })

  it('refuses to leave its accounts behind under another domain', async () => {
    await using stack = new AsyncDisposableStack()
    const { config, env } = await prepare(stack)
    await (await startLocalServer(config, silentLogger)).stop()
    const other = readConfig({ ...env, CANTO_LOCAL_DOMAIN: 'canto.localhost' })
    await assert.rejects(startLocalServer(other, silentLogger), { message: /CANTO_LOCAL_DOMAIN=localhost/ })
  })
})
