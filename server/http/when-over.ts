import type { FastifyReply } from 'fastify'

/** Calls `work` once: when the request has been answered, or its sender has gone; at once where that was before. */
export function whenOver({ raw }: FastifyReply, work: () => void): void {
  const events = ['finish', 'close']
  const end = () => {
    for (const event of events) raw.off(event, end)
    work()
  }
  if (raw.destroyed || raw.writableFinished) work()
  else for (const event of events) raw.on(event, end)
}
