import {
  markNotificationsRead,
  markPostRead,
  type NotificationPlace,
  saveNotifiesByMessage,
} from '#server/store/notification.ts'
import { forgetOldest, type KeepDeps } from '#server/store/space-left.ts'
import { saveThreadWish, type ThreadWish } from '#server/store/thread-wish.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { personTopic } from '../live.ts'
import type { NotifyDeps } from './notify.ts'

/** Somebody has opened a post: what there was to know about it they know. */
export async function seePost({ state, live, clock }: NotifyDeps, jid: BareJid, post: ItemAddress): Promise<void> {
  const count = await markPostRead(state, jid, { post, now: clock() })
  if (count > 0) live.publish(personTopic(jid), { kind: 'notified' })
}

/** Everything up to what somebody was shown. */
export async function seeAll(
  { state, live, clock }: NotifyDeps,
  jid: BareJid,
  until: NotificationPlace,
): Promise<void> {
  const count = await markNotificationsRead(state, jid, { until, now: clock() })
  if (count > 0) live.publish(personTopic(jid), { kind: 'notified' })
}

/** Whether notifications go to somebody's account as messages, from now on. */
export function wishForMessages({ state, clock }: NotifyDeps, jid: BareJid, wishes: boolean): Promise<void> {
  return saveNotifiesByMessage(state, jid, wishes, clock())
}

/** What somebody wants to hear of the thread of a post from now on. */
export async function wishForThread(
  deps: NotifyDeps & KeepDeps,
  jid: BareJid,
  { post, wish }: { post: ItemAddress; wish: ThreadWish | undefined },
): Promise<void> {
  await saveThreadWish(deps.state, jid, { post, wish, now: deps.clock() })
  await forgetOldest(deps, 'wishes', jid)
}
