import type { Element } from 'ltx'
import type { AppError } from '#server/errors.ts'

/** Elements wait here until somebody asks for the next, or listens for good. */
export interface StreamInbox {
  push(element: Element): void
  clear(): void
  /** Rejects when the stream ends first. */
  next(): Promise<Element>
  listen(to: (element: Element) => void): void
}

/** Elements that may wait before no more are read. */
const MOST_WAITING = 100

export interface Flow {
  pause(): void
  resume(): void
}

/** A server that says more than it is asked must wait: `flow` is stopped while too much is unread. */
export function createInbox(ended: Promise<AppError>, flow: Flow): StreamInbox {
  let queue: Element[] = []
  let listener: ((element: Element) => void) | undefined
  let wake: (() => void) | undefined
  let reason: AppError | undefined
  ended.then((why) => {
    reason = why
    wake?.()
  })
  return {
    push(element) {
      if (listener) return listener(element)
      queue.push(element)
      if (queue.length === MOST_WAITING) flow.pause()
      wake?.()
    },
    clear() {
      queue = []
    },
    async next() {
      for (;;) {
        const element = queue.shift()
        if (element && queue.length === MOST_WAITING - 1) flow.resume()
        if (element) return element
        if (reason) throw reason
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    listen(to) {
      listener = to
      flow.resume()
      for (const element of queue.splice(0)) to(element)
    },
  }
}
