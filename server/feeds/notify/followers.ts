import { isAppError } from '#server/errors.ts'
import { listFollowers, saveFollowers } from '#server/store/follower.ts'
import { listPersonNames } from '#server/store/news.ts'
import { findNode } from '#server/store/node.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { isShutOut } from './audience.ts'
import { notify } from './notify.ts'
import type { ScanDeps } from './scan.ts'

type Deps = ScanDeps & { readonly site: Pick<XmppSession, 'jid'> }

const EVERY_MS = 3 * 3_600_000
const RETRY_MS = 10 * 60_000
/** After the time of a reading, where no list has come yet. */
const UNTOLD = ' untold'
/** More than these are not told apart. */
const MOST = 10_000

/** Whether it is time to ask who follows somebody's blog. */
export async function followersDue(deps: Pick<Deps, 'state' | 'clock'>, jid: BareJid): Promise<boolean> {
  const readAt = await findSetting(deps.state, settingOf(jid))
  const at = readAt?.split(' ', 1)[0]
  return at === undefined || !isWithinLast(EVERY_MS, new Date(at), deps.clock())
}

/**
 * Asks an account's own server who follows its blog. Who did so when it was first asked is no news. COMPAT(ejabberd
 * 24.12): of a personal node it does not tell, and nothing follows from that.
 */
export async function readFollowers(
  deps: Deps,
  { jid, pubsub }: Pick<XmppSession, 'jid' | 'pubsub'>,
): Promise<'read' | 'untold'> {
  const blog = { service: jid, node: NS.MICROBLOG }
  if ((await findNode(deps.index, blog)) === undefined) return 'untold'
  const isFirst = (await findSetting(deps.state, settingOf(jid)))?.endsWith(UNTOLD) ?? true
  const now = deps.clock()
  try {
    const listed = await pubsub.listSubscribers(blog)
    const known = await listFollowers(deps.state, blog)
    const all = new Set(listed.filter((follower) => follower !== jid && follower !== deps.site.jid).slice(0, MOST))
    const come = [...all].filter((follower) => !known.has(follower))
    const gone = [...known].filter((follower) => !all.has(follower))
    if (!isFirst) await tellOf(deps, jid, come)
    await saveFollowers(deps.state, blog, { come, gone, now })
    await saveSetting(deps.state, settingOf(jid), now.toISOString())
    return 'read'
  } catch (error) {
    if (!isAppError(error)) throw error
    // A server that does not tell is not asked at every sign-in; one that is not there now, again before long.
    const again = isAppError(error, 'unavailable', 'timeout') ? RETRY_MS : EVERY_MS
    const at = new Date(now.getTime() - EVERY_MS + again).toISOString()
    await saveSetting(deps.state, settingOf(jid), isFirst ? `${at}${UNTOLD}` : at)
    return 'untold'
  }
}

async function tellOf(deps: Deps, jid: BareJid, followers: readonly BareJid[]): Promise<void> {
  const names = await listPersonNames(deps.index, followers)
  const about = { service: jid, node: NS.MICROBLOG }
  const news = []
  for (const actor of followers) {
    if (await isShutOut(deps, jid, actor)) continue
    news.push({ jid, kind: 'follower' as const, about, actor, actorName: names.get(actor) })
  }
  await notify(deps, news)
}

function settingOf(jid: BareJid): string {
  return `followers:${jid}`
}
