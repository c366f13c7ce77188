import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { type BareJid, domainOf, readJid } from '#shared/jid.ts'
import { readStanzaError } from './errors.ts'
import { isSkipped } from './stream-parser.ts'

export interface RequestOptions {
  /** Milliseconds. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** Asks and waits for the answer; every failure is an AppError, `too-large` where the answer was over the bounds of a stanza. */
export type Ask = (
  type: 'get' | 'set',
  to: string | undefined,
  payload: Element,
  options?: RequestOptions,
) => Promise<Element>

export interface Requests {
  readonly ask: Ask
  /** Whether `stanza` was the answer to a request of ours. */
  handle(stanza: Element): boolean
  /** Fails everything still open. */
  fail(reason: AppError): void
}

interface Pending {
  readonly to: string | undefined
  settle(answer: Element): void
  fail(reason: AppError): void
}

/** Slow is not lost: servers hold back what comes faster than their rate limits. */
const DEFAULT_TIMEOUT = 30_000
/** Few at a time, for the same rate limits. */
const MAX_IN_FLIGHT = 8

/** Requests over one stream: random ids, and an answer only from whom was asked (RFC 6120 §8.1.2.1). */
export function createRequests(own: BareJid, send: (element: Element) => Promise<void>): Requests {
  const pending = new Map<string, Pending>()
  const slots = createSlots(MAX_IN_FLIGHT)
  let ended: AppError | undefined

  async function exchange(stanza: Element, to: string | undefined, { timeout, signal }: RequestOptions) {
    const id = String(stanza.attrs.id)
    const who = to ?? domainOf(own)
    const { promise, resolve, reject } = Promise.withResolvers<Element>()
    const abort = () => reject(new AppError('unavailable', 'Nobody waits for this answer any more'))
    const ms = timeout ?? DEFAULT_TIMEOUT
    const timer = setTimeout(() => reject(new AppError('timeout', `${who} did not answer in ${ms / 1000} s`)), ms)
    pending.set(id, { to, settle: resolve, fail: reject })
    signal?.addEventListener('abort', abort, { once: true })
    try {
      // What was asked may be answered before the socket says that it was written.
      await Promise.all([send(stanza), promise])
      const answer = await promise
      if (answer.attrs.type === 'error') throw readStanzaError(answer, who)
      return answer
    } finally {
      clearTimeout(timer)
      pending.delete(id)
      signal?.removeEventListener('abort', abort)
    }
  }

  return {
    async ask(type, to, payload, options = {}) {
      const stanza = new Element('iq', { type, id: randomUUID(), ...(to !== undefined && { to }) })
      stanza.cnode(payload)
      const leave = await slots.enter(domainOf(readJid(to ?? own)?.bare ?? own))
      try {
        if (ended) throw ended
        if (options.signal?.aborted) throw new AppError('unavailable', 'Nobody waits for this answer any more')
        return await exchange(stanza, to, options)
      } catch (error) {
        if (error instanceof AppError) throw error
        throw ended ?? new AppError('unavailable', 'The connection was lost', { cause: error })
      } finally {
        leave()
      }
    },
    handle(stanza) {
      const { type, id, from } = stanza.attrs
      if (stanza.name !== 'iq' || (type !== 'result' && type !== 'error')) return false
      const request = pending.get(String(id))
      if (request === undefined || !isFrom(own, request.to, from)) return false
      if (isSkipped(stanza)) request.fail(tooLarge(request.to ?? domainOf(own)))
      else request.settle(stanza)
      return true
    },
    fail(reason) {
      ended = reason
      for (const request of pending.values()) request.fail(reason)
    },
  }
}

function tooLarge(who: string): AppError {
  return new AppError('too-large', `${who} answers with more at once than Canto reads`)
}

/** Whether an answer `from` may come from whom was asked: `to`, which left out means our own account. */
export function isFrom(own: BareJid, to: string | undefined, from: unknown): boolean {
  const domain = domainOf(own)
  const asked = to === undefined ? own : normalise(to)
  // Only our own server can leave `from` out, and it speaks for our account under any of its names.
  if (from === undefined) return asked === own || asked === domain
  const answered = typeof from === 'string' ? normalise(from) : undefined
  if (answered === undefined) return false
  if (answered === asked) return true
  return asked === own && (answered === domain || readJid(answered)?.bare === own)
}

function normalise(jid: string): string | undefined {
  const read = readJid(jid)
  if (read === undefined) return undefined
  return read.resource === undefined ? read.bare : `${read.bare}/${read.resource}`
}

/** Room for so many at each domain: one that does not answer holds up nobody else. */
function createSlots(count: number) {
  const waiting = new Map<string, (() => void)[]>()
  const taken = new Map<string, number>()
  function leave(domain: string): void {
    const next = waiting.get(domain)?.shift()
    const left = (taken.get(domain) ?? 1) - 1
    if (next) next()
    else if (left > 0) taken.set(domain, left)
    else {
      taken.delete(domain)
      waiting.delete(domain)
    }
  }
  return {
    /** Resolves with the way out when there is room. */
    async enter(domain: string): Promise<() => void> {
      const now = taken.get(domain) ?? 0
      if (now < count) taken.set(domain, now + 1)
      else {
        const queue = waiting.get(domain) ?? []
        waiting.set(domain, queue)
        await new Promise<void>((resolve) => queue.push(resolve))
      }
      return () => leave(domain)
    },
  }
}
