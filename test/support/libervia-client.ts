import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { createTestFolder } from './folder.ts'
import type { RigServer } from './rig.ts'
import { until } from './until.ts'

/** A whole Libervia on a D-Bus of its own: another engine that reads and writes blogs (Debian's libervia-cli). */
export interface LiberviaClient extends AsyncDisposable {
  /** Runs `libervia-cli COMMAND…` as the account, and returns what it printed; rejects unless it exits 0. */
  run(command: readonly string[], input?: string): Promise<string>
}

/** Not the reader's own Python, which need not have its modules. */
const PATH = '/usr/bin:/bin'
const PROFILE = 'tester'
/** A bus that starts nothing by itself: a question to a backend that is not up yet would start another, for good. */
const BUS = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

/** Signs an account in; `user`'s password is as in other tests. */
export async function startLibervia(server: RigServer, user: string): Promise<LiberviaClient> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTestFolder())
  await mkdir(folder.file('run'), { mode: 0o700 })
  for (const name of ['libervia', 'data']) await mkdir(folder.file(name))
  await writeFile(folder.file('libervia/libervia.conf'), `[DEFAULT]\nlocal_dir = ${folder.file('data')}\n`)
  const env = {
    ...{ PATH, HOME: folder.path, LC_ALL: 'C.UTF-8' },
    ...{ XDG_CONFIG_HOME: folder.path, XDG_RUNTIME_DIR: folder.file('run') },
  }
  await writeFile(folder.file('bus.conf'), BUS)
  const bus = await startBus(folder.path, env)
  stack.defer(() => end(bus.child))
  const inside = { ...env, DBUS_SESSION_BUS_ADDRESS: bus.address }
  const backend = spawn('libervia-backend', ['fg'], { env: inside, cwd: folder.path, stdio: 'ignore' })
  stack.defer(() => end(backend))
  const cli = (args: readonly string[], input = '') => runCli(args, input, inside)
  await until(() => cli(['profile', 'list']), {
    what: 'the backend of Libervia',
    // Asked too early, its command waits for it until it is ended.
    timeout: 120_000,
  })

  const jid = `${user}@${server.domain}`
  await cli(['profile', 'create', PROFILE, '-j', jid, '-x', `password of ${user}`])
  const settings = { 'Force server': '127.0.0.1', 'Force port': String(server.port), check_certificate: 'false' }
  for (const [name, value] of Object.entries(settings)) {
    await cli(['param', 'set', '-p', PROFILE, '--start-session', 'Connection', name, value])
  }
  await cli(['profile', 'connect', '-c', '-p', PROFILE])
  const owned = stack.move()
  return {
    run: (command, input) => cli([...command, '-p', PROFILE], input),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Bus {
  readonly child: ChildProcess
  readonly address: string
}

async function startBus(folder: string, env: NodeJS.ProcessEnv): Promise<Bus> {
  const child = spawn('dbus-daemon', [`--config-file=${folder}/bus.conf`, '--nofork', '--print-address=1'], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [address] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, address: String(address) }
}

function runCli(args: readonly string[], input: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('libervia-cli', args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`libervia-cli ${args.join(' ')} failed: ${stdout}${stderr}`, { cause: error }))
    })
    child.stdin?.end(input)
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(timer)
}
