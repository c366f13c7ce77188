import { describeError, isAppError } from '#server/errors.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
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

/** What somebody shows their contacts (XEP-0330, as Movim does), by the session of one who may be a contact. Kept nowhere. */
export async function readShownFollows({ pubsub }: XmppSession, jid: BareJid): Promise<ShownFollows> {
  try {
    const found = await readList(pubsub, { service: jid, node: NS.SUBSCRIPTION_LIST }, MOST)
    const list = (found?.items ?? []).filter(({ address }) => mayFollow(address))
    return list.length > 0 ? { list } : { list, problem: `${jid} shows nothing of what they follow.` }
  } catch (error) {
    if (!isAppError(error)) throw error
    if (isAppError(error, 'unavailable', 'timeout', 'too-large'))
      return { list: [], problem: `${describeError(error)}.` }
    return { list: [], problem: `${jid} does not show you what they follow: it is for their contacts.` }
  }
}
