import { describeError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { backoff } from './backoff.ts'

export interface RetriesDeps {
  readonly log: Logger
  readonly signal: AbortSignal
  readonly again: (address: NodeAddress) => void
}

/** What is tried again after a failure of ours, as when the disk was full: each node after longer each time. */
export interface Retries {
  add(address: NodeAddress, error: unknown): void
  /** It has been read. */
  done(address: NodeAddress): void
}

export function createRetries({ log, signal, again }: RetriesDeps): Retries {
  const failures = new Map<string, { readonly times: number; isWaiting: boolean }>()
  return {
    add(address, error) {
      if (signal.aborted) return
      const key = addressKey(address)
      const former = failures.get(key) ?? { times: 0, isWaiting: false }
      if (former.isWaiting) return
      const failure = { times: former.times + 1, isWaiting: true }
      failures.set(key, failure)
      log.error(`Reading ${key} failed: ${describeError(error)}`)
      const retry = () => {
        failure.isWaiting = false
        again(address)
      }
      setTimeout(retry, backoff(failure.times) * 1000).unref()
    },
    done(address) {
      const key = addressKey(address)
      if (failures.get(key)?.isWaiting === false) failures.delete(key)
    },
  }
}
