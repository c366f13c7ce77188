import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../errors.ts'
import type { Logger } from '../log.ts'

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000
/** A child that lived this long did not fail to start. */
const STEADY_MS = 60_000

interface Supervision {
  /** Resolves once the child is ready to work. */
  readonly start: () => Promise<ChildProcess>
  readonly stop: (child: ChildProcess) => Promise<void>
  readonly log: Logger
}

/** Starts a child and starts it again whenever it dies, until stopped. Rejects if the first start fails. */
export async function supervise({ start, stop, log }: Supervision): Promise<AsyncDisposable> {
  let child = await start()
  const stopping = new AbortController()
  const keepAlive = async () => {
    let delay = FIRST_DELAY_MS
    while (!stopping.signal.aborted) {
      const since = performance.now()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      if (stopping.signal.aborted) return
      delay = performance.now() - since > STEADY_MS ? FIRST_DELAY_MS : Math.min(delay * 2, LONGEST_DELAY_MS)
      log.warn('The local XMPP server died: starting it again')
      await sleep(delay, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      child = await start().catch((error: unknown) => {
        log.error(describeError(error))
        return child
      })
    }
  }
  const kept = keepAlive()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await stop(child)
      await kept
      // A start that was under way meanwhile has made another child.
      await stop(child)
    },
  }
}
