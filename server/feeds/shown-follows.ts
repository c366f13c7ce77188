import { type AppError, isAppError } from '#server/errors.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { ListedSubscription } from '#shared/subscription-list.ts'
import { mayFollow } from './follow.ts'
import { readList } from './follow-list.ts'

export interface ShownFollows {
  readonly list: readonly ListedSubscription[]
  /** Why there is none, in a sentence. */
  readonly problem?: string
}

const MOST = 500

/**
 * What somebody shows their contacts (XEP-0330, as Movim does) or everybody (XEP-0465), by the session of one who may be
 * a contact. Kept nowhere.
 */
export async function readShownFollows({ pubsub }: XmppSession, jid: BareJid): Promise<ShownFollows> {
  const nodes = [NS.SUBSCRIPTION_LIST, NS.PUBLIC_SUBSCRIPTION_LIST]
  const answers = await Promise.allSettled(nodes.map((node) => readList(pubsub, { service: jid, node }, MOST)))
  const found = new Map<string, ListedSubscription>()
  const errors: AppError[] = []
  for (const answer of answers) {
    if (answer.status === 'fulfilled') {
      for (const { address, title } of answer.value?.items ?? []) {
        const key = addressKey(address)
        if (mayFollow(address) && !found.has(key)) found.set(key, { address, title })
      }
    } else if (isAppError(answer.reason)) errors.push(answer.reason)
    else throw answer.reason
  }
  return found.size > 0 ? { list: [...found.values()] } : { list: [], problem: explain(jid, errors) }
}

function explain(jid: BareJid, errors: readonly AppError[]): string {
  const passing = errors.find((error) => isAppError(error, 'unavailable', 'timeout', 'too-large'))
  if (passing?.server !== undefined) return `There is no XMPP server ${domainOf(jid)}, or it does not answer now.`
  if (passing !== undefined) return `${passing.message}.`
  if (errors.length === 0) return `${jid} shows nothing of what they follow.`
  return `${jid} does not show you what they follow: it is for their contacts.`
}
