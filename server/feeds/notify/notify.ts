import { createSlices } from '#server/slices.ts'
import { listKnownAccounts } from '#server/store/account.ts'
import type { StateDb } from '#server/store/database.ts'
import {
  addNotifications,
  forgetNotifications,
  type NotificationKind,
  pruneNotifications,
} from '#server/store/notification.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Live, personTopic } from '../live.ts'

export interface NotifyDeps {
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
}

/** Something that one person should know of. */
export interface News {
  /** Who is told; only accounts that have signed in here are. */
  readonly jid: BareJid
  readonly kind: NotificationKind
  /** The comment, the post that was reacted to, the repost; of a new follower the blog. */
  readonly about: NodeAddress & { readonly item?: ItemId }
  /** The post above it. */
  readonly post?: ItemAddress | undefined
  /** Who did it, as far as that is known: nobody is told of what they do themselves. */
  readonly actor?: BareJid | undefined
  readonly actorName?: string | undefined
  /** The beginning of what was written, the emoji, or the reason of a report. */
  readonly text?: string
  /** When it happened: now unless told. */
  readonly at?: Date
}

/** Kept for one person; older ones are forgotten. */
const MOST = 1_000
const MOST_OF_BURST = 300
/** Characters. */
const LONGEST_TEXT = 200
const LONGEST_NAME = 100

/** Writes down what is new for people, once however often it is told, and tells their open pages. How many were new. */
export async function notify({ state, live, clock }: NotifyDeps, news: readonly News[]): Promise<number> {
  const others = news.filter(({ jid, actor }) => jid !== actor)
  if (others.length === 0) return 0
  const known = await listKnownAccounts(state, [...new Set(others.map(({ jid }) => jid))])
  const rows = others
    .filter(({ jid }) => known.has(jid))
    .map(({ jid, kind, about, post, actor = '' as const, actorName, text = '', at = clock() }) => ({
      ...{ jid, kind, service: about.service, node: about.node, item: about.item ?? ('' as const) },
      ...{ postService: post?.service ?? null, postNode: post?.node ?? null, postItem: post?.item ?? null },
      actor,
      actorName: actorName?.slice(0, LONGEST_NAME).toWellFormed() ?? null,
      text: text.slice(0, LONGEST_TEXT).toWellFormed(),
      at: at.toISOString(),
    }))
  const added = await addNotifications(state, rows)
  const pause = createSlices()
  for (const jid of new Set(added.map((row) => row.jid))) {
    await pause()
    await pruneNotifications(state, jid, { most: MOST, mostOfBurst: MOST_OF_BURST })
    live.publish(personTopic(jid), { kind: 'notified' })
  }
  if (added.length > 0) live.publish(NOTIFIED_TOPIC, { kind: 'notified' })
  return added.length
}

/** Takes back what nobody is shown any more, or what was settled. */
export async function takeBackNotifications(
  { state, live }: Pick<NotifyDeps, 'state' | 'live'>,
  address: ItemAddress,
  kinds: readonly NotificationKind[],
): Promise<void> {
  const whom = await forgetNotifications(state, address, kinds)
  for (const jid of whom) live.publish(personTopic(jid), { kind: 'notified' })
}

/** That somebody, whoever it is, has something new. */
export const NOTIFIED_TOPIC = 'notified'
