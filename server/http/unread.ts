import { personTopic } from '#server/feeds/live.ts'
import type { Person } from '#server/people/people.ts'
import { countUnread } from '#server/store/notification.ts'
import type { UnreadView } from '#web/views.ts'
import type { AppContext } from './context.ts'
import type { LiveSource } from './live-stream.ts'
import { LIVE } from './routes/live.ts'

/** Nobody needs a larger number in the head of a page. */
const MOST = 100

/** What somebody has not read, for the head of every page. */
export async function viewUnread({ state }: Pick<AppContext, 'state'>, { jid }: Person): Promise<UnreadView> {
  return { count: await countUnread(state, jid, MOST), url: '/notifications', liveUrl: `/notifications/${LIVE}` }
}

/** The same in the stream of a page, for who is signed in. */
export function watchUnread({ state }: Pick<AppContext, 'state'>, person: Person | undefined): LiveSource[] {
  if (person === undefined) return []
  const readVersion = async () => String(await countUnread(state, person.jid, MOST))
  return [{ topic: personTopic(person.jid), event: 'unread', readVersion }]
}
