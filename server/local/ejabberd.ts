import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, isAppError } from '../errors.ts'
import { type ApiAddress, callApi } from './api.ts'
import type { Layout } from './layout.ts'
import type { ErlangRoot } from './packages.ts'
import { run } from './run.ts'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const POLL_MS = 50

/** Stops the server when its standard input ends, that is, when Canto is gone, even by kill -9. */
const STOP_WITH_US =
  'spawn(fun() -> (fun Read() -> case io:get_line("") of Line when is_list(Line) -> Read(); _ -> init:stop() end end)() end).'

/** Starts ejabberd as a child, in a session of its own so that a Ctrl-C meant for Canto does not reach it. */
export async function spawnEjabberd(root: ErlangRoot, layout: Layout): Promise<ChildProcess> {
  const console = openSync(consoleFile(layout), 'w', 0o600)
  // All paths are relative to the folder: Erlang and ejabberd's drivers disagree about names that are not ASCII.
  const args = ['+K', 'true', '-mnesia', 'dir', '"spool"', '-noshell', '-eval', STOP_WITH_US, '-s', 'ejabberd']
  const child = spawn(root.command, [...args, '-canto', layout.folder], {
    cwd: layout.folder,
    detached: true,
    stdio: ['pipe', console, console],
    env: {
      ...root.env,
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: layout.folder,
      LC_ALL: 'C.UTF-8',
      EJABBERD_CONFIG_PATH: relative(layout.folder, layout.config),
      EJABBERD_LOG_PATH: relative(layout.folder, join(layout.logs, 'ejabberd.log')),
      ERL_CRASH_DUMP_BYTES: '0',
      ERL_INETRC: relative(layout.folder, layout.inetrc),
    },
  })
  child.stdin?.on('error', () => {})
  child.on('error', () => {})
  if (child.pid !== undefined) await writeFile(layout.pid, `${child.pid}\n`)
  return child
}

/** Resolves once its API answers: listening is the last thing it does at start. */
export async function waitUntilReady(child: ChildProcess, layout: Layout, api: ApiAddress): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (!(await isAnswering(api))) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new AppError('unavailable', `The local XMPP server did not start: ${readReason(layout)}`)
    }
    if (performance.now() > deadline) {
      throw new AppError('timeout', `The local XMPP server was not ready within a minute; its log is in ${layout.logs}`)
    }
    await sleep(POLL_MS)
  }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}

/** Waits for a server that an earlier Canto left behind (it is stopping by itself), and makes sure of it. */
export async function stopOrphan(layout: Layout): Promise<void> {
  const pid = Number(await readFile(layout.pid, 'utf8').catch(() => ''))
  if (!(pid > 1) || !(await isOurs(pid, layout))) return
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await isOurs(pid, layout)) process.kill(pid, signal)
    const deadline = performance.now() + STOP_TIMEOUT_MS
    while (performance.now() < deadline) {
      if (!(await isOurs(pid, layout))) return
      await sleep(POLL_MS)
    }
  }
}

/** By the flag on its command line: the number alone may have gone to another process since. */
async function isOurs(pid: number, layout: Layout): Promise<boolean> {
  const fromProc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  const command = fromProc ?? (await run('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => undefined))?.output ?? ''
  return command.includes('-canto') && command.includes(layout.folder)
}

async function isAnswering(api: ApiAddress): Promise<boolean> {
  try {
    await callApi(api, 'status', {})
    return true
  } catch (error) {
    if (isAppError(error, 'unavailable')) return false
    throw error
  }
}

/** The last thing it complained about, on one line. */
function readReason(layout: Layout): string {
  const lines = readFileSync(consoleFile(layout), 'utf8').split('\n')
  const complaint = lines.findLast((line) => /\[(critical|error)\]/.test(line)) ?? lines.findLast((line) => line !== '')
  const words = complaint?.replace(/^.*?@[\w:/]+ /, '').slice(0, 300) ?? 'it could not be run'
  return `${words} (its log is in ${dirname(consoleFile(layout))})`
}

function consoleFile(layout: Layout): string {
  return join(layout.logs, 'console.log')
}
