import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from './free-port.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A running Canto, as its operator runs it: a process of its own with its own data folder and ports. */
export interface Product extends AsyncDisposable {
  readonly url: string
  readonly data: string
  readonly env: Readonly<Record<string, string>>
  readonly xmppPort: number
  /** Everything it printed so far. */
  output(): string
  kill(): Promise<void>
  stop(): Promise<number | null>
  start(): Promise<void>
  /** Runs `canto COMMAND…` for the same site; rejects with its output unless it exits 0. */
  canto(...command: string[]): Promise<string>
}

/** Starts Canto with the private local server unless `env` names an account, and waits until it says that it is ready. */
export async function startProduct(env: Record<string, string> = {}): Promise<Product> {
  const data = env.CANTO_DATA ?? (await mkdtemp(join(tmpdir(), 'canto-test-')))
  const [port, xmppPort, httpPort] = [await findFreePort(), await findFreePort(), await findFreePort()]
  const all: Record<string, string> = {
    CANTO_DATA: data,
    CANTO_PORT: String(port),
    // Not every machine knows the name localhost: a bare Debian has no /etc/hosts.
    CANTO_URL: `http://127.0.0.1:${port}`,
    CANTO_LOCAL_XMPP_PORT: String(xmppPort),
    CANTO_LOCAL_HTTP_PORT: String(httpPort),
    CANTO_LOCAL_DOMAIN: 'localhost',
    ...env,
  }
  let printed = ''
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ['server/main.ts'], {
      cwd: root,
      env: { ...process.env, ...all },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    let since = ''
    await new Promise<void>((resolve, reject) => {
      const collect = (chunk: Buffer) => {
        printed += chunk
        since += chunk
        if (/^Canto is ready at .*\n/m.test(since)) resolve()
      }
      started.stdout.on('data', collect)
      started.stderr.on('data', collect)
      started.once('exit', (code) => reject(new Error(`Canto ended with ${code} before it was ready:\n${since}`)))
    })
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? null
    const exited = new Promise<number | null>((resolve) => ending.once('exit', (code) => resolve(code)))
    ending.kill(signal)
    return exited
  }

  function canto(...command: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const run = spawn(process.execPath, ['server/canto.ts', ...command], {
        cwd: root,
        env: { ...process.env, ...all },
      })
      let text = ''
      run.stdout.on('data', (chunk) => (text += chunk))
      run.stderr.on('data', (chunk) => (text += chunk))
      run.once('exit', (code) =>
        code === 0 ? resolve(text) : reject(new Error(`canto ${command[0]} ended with ${code}:\n${text}`)),
      )
    })
  }

  try {
    await start()
  } catch (error) {
    await end('SIGKILL')
    await rm(data, { recursive: true, force: true })
    throw error
  }
  return {
    url: all.CANTO_URL ?? '',
    data,
    env: all,
    xmppPort,
    output: () => printed,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    start,
    canto,
    async [Symbol.asyncDispose]() {
      await end('SIGTERM')
      if (env.CANTO_DATA === undefined) await rm(data, { recursive: true, force: true })
    },
  }
}
