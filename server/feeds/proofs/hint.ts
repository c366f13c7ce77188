import type { Message } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { ProofsDeps } from './proofs.ts'
import { tell } from './tell.ts'

const DAY = 24 * 3_600_000
const MOST_PEOPLE = 1_000
const WORDS = 'It reads only codes that its pages show.'

/** Tells a person, once a day, that nobody reads what they write; never a program, so that no two talk forever. */
export function createHint(deps: ProofsDeps): (message: Message) => Promise<void> {
  const toldAt = new Map<BareJid, number>()

  return async ({ from: { bare: from }, type, body = '', payloads }) => {
    if (type !== 'chat' || body.trim() === '' || body.includes(WORDS)) return
    // Servers and components; what waited for us; people in a group chat.
    if (!from.includes('@') || payloads.some(({ attrs }) => attrs.xmlns === NS.DELAY || attrs.xmlns === NS.MUC_USER))
      return
    const now = deps.clock().getTime()
    if (isWithinLast(DAY, toldAt.get(from) ?? -DAY, now)) return
    toldAt.delete(from)
    toldAt.set(from, now)
    for (const [oldest] of toldAt) if (toldAt.size > MOST_PEOPLE) toldAt.delete(oldest)
    await tell(deps, from, `This is the account of ${deps.config.url.host}. ${WORDS} ${deps.config.url.href}`)
  }
}
