import type { Element } from 'ltx'
import type { AppError } from '#server/errors.ts'
import { estimateBytes } from './stanza-bounds.ts'

/** Elements wait here until somebody asks for the next, or listens for good. */
export interface StreamInbox {
  push(element: Element): void
  clear(): void
  /** Rejects when the stream ends first. */
  next(): Promise<Element>
  listen(to: (element: Element) => void): void
  /** About how many bytes of memory is taken by what waits. */
  readonly waitingBytes: number
}

/** Elements that may wait before no more are read. */
const MOST_WAITING = 100

export interface Flow {
  pause(): void
  resume(): void
}

/** A server that says more than it is asked must wait: `flow` is stopped while too much is unread. */
export function createInbox(ended: Promise<AppError>, flow: Flow): StreamInbox {
  let queue: { readonly element: Element; readonly bytes: number }[] = []
  let waitingBytes = 0
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
      const bytes = measure(element)
      queue.push({ element, bytes })
      waitingBytes += bytes
      if (queue.length === MOST_WAITING) flow.pause()
      wake?.()
    },
    clear() {
      queue = []
      waitingBytes = 0
    },
    async next() {
      for (;;) {
        const next = queue.shift()
        if (next && queue.length === MOST_WAITING - 1) flow.resume()
        waitingBytes -= next?.bytes ?? 0
        if (next) return next.element
        if (reason) throw reason
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    listen(to) {
      listener = to
      flow.resume()
      waitingBytes = 0
      for (const { element } of queue.splice(0)) to(element)
    },
    get waitingBytes() {
      return waitingBytes
    },
  }
}

function measure(stanza: Element): number {
  let characters = 0
  const elements = [stanza]
  // It grows while it is gone through.
  for (const { attrs, children } of elements) {
    for (const [name, value] of Object.entries(attrs)) characters += name.length + String(value).length
    for (const child of children) {
      if (typeof child === 'string') characters += child.length
      else elements.push(child)
    }
  }
  return estimateBytes(characters, elements.length)
}
