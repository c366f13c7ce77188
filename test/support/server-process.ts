import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { until } from './until.ts'

export interface ProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Gets what it prints. */
  readonly output: string
  /** It is up when all of them listen on 127.0.0.1. */
  readonly ports: readonly number[]
}

/** A real server as a child of ours, stopped by its own pid. */
export interface ServerProcess {
  start(): Promise<void>
  stop(): Promise<void>
  /** `kill -9`. */
  kill(): Promise<void>
  restart(): Promise<void>
}

const STOP_TIMEOUT_MS = 15_000

export function createServerProcess(options: ProcessOptions): ServerProcess {
  let child: ChildProcess | undefined
  let watcher: ChildProcess | undefined

  async function start(): Promise<void> {
    const output = openSync(options.output, 'a')
    const started = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', output, output],
    })
    child = started
    // Its input ends when we do, however that is, and then it ends the server.
    const script = 'cat > /dev/null; kill -TERM "$0"'
    const stdio = ['pipe', 'ignore', 'ignore'] as const
    watcher = spawn('/bin/sh', ['-c', script, String(started.pid)], { detached: true, stdio: [...stdio] })
    await Promise.all(options.ports.map((port) => waitForPort(started, port, options.output)))
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child
    child = undefined
    watcher?.kill('SIGKILL')
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const exited = once(ending, 'exit')
    ending.kill(signal)
    const timer = setTimeout(() => ending.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
  }

  const stop = () => end('SIGTERM')
  return {
    start,
    stop,
    kill: () => end('SIGKILL'),
    async restart() {
      await stop()
      await start()
    },
  }
}

async function waitForPort(child: ChildProcess, port: number, output: string): Promise<void> {
  let hasEnded = false
  child.once('exit', () => {
    hasEnded = true
  })
  await until(async () => hasEnded || (await isListening(port)), { what: `a server on port ${port}` })
  if (hasEnded) throw new Error(`The server ended at once:\n${readFileSync(output, 'utf8').slice(-2000)}`)
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
