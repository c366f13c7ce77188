import { readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import { listOutbox } from '#server/store/outbox.ts'
import { findRoomOfBlog } from '#server/store/room.ts'
import type { RoomSettingsView } from '#web/views.ts'
import { blogAddress } from '../places.ts'
import { joinUri, roomPath } from '../room-paths.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import { viewWaiting } from './post-view.ts'

/** The room of somebody's blog, or how to open one; nothing where one of the servers does not know rooms. */
export async function viewRoomSettings({ ctx, tokens }: Web, person: Person): Promise<{ room?: RoomSettingsView }> {
  const { jid, isBlogger } = person
  const blog = blogAddress(jid)
  const room = await findRoomOfBlog(ctx.state, blog)
  const isOffered = ctx.rooms.mayOpen(jid) === true
  if (!isBlogger || (room === undefined && !isOffered)) return {}
  const url = roomPath({ domain: ctx.siteDomain }, blog)
  const row = (await listOutbox(ctx.state, jid)).find((each) => readTask(each).kind === 'room')
  return {
    room: {
      ...{
        token: tokens.issue(person),
        key: createFormKey(),
        openAction: '/settings/room',
        closeUrl: '/settings/room/close',
      },
      ...(room?.status === 'open' ? { room: { url, xmppUri: joinUri(room.channel) } } : {}),
      ...(row === undefined ? {} : { waiting: viewWaiting(row) }),
    },
  }
}
