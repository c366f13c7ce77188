import type { XmppSession } from '#server/xmpp/ports.ts'
import { openSession } from '#server/xmpp/session.ts'
import type { BareJid } from '#shared/jid.ts'
import { askDns } from './strangers.ts'
import { SILENT } from './test-session.ts'
import { until } from './until.ts'

/**
 * A process of its own for sessions on a server that wants its memory: `hostile-sessions.ts DNS-PORT DOMAIN COUNT`. Once
 * each has ended it prints how many megabytes of heap more than before are used, and the most that the process had.
 */
const [port, domain, count] = process.argv.slice(2)
askDns(Number(port))

const used = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
const before = used()
const drops = new Set<XmppSession>()
const sessions = Array.from({ length: Number(count) }, (_, number) => {
  const session = openSession({
    jid: `juliet-${number}@${domain}` as BareJid,
    credentials: () => ({ password: 'secret' }),
    userAgentId: crypto.randomUUID(),
    isSite: false,
    allowPrivate: true,
    log: SILENT,
  })
  let wasOnline = false
  session.onStatus((status) => {
    if (status === 'online') wasOnline = true
    if (status === 'waiting' && wasOnline) drops.add(session)
  })
  return session
})
await until(() => drops.size === sessions.length, { timeout: 240_000, what: 'every session to end' })
await Promise.all(sessions.map((session) => session.stop()))
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024)
console.log(
  JSON.stringify({ heap: megabytes(used() - before), peak: megabytes(process.resourceUsage().maxRSS * 1024) }),
)
process.exit()
