import { findPlacedDraft } from '#server/people/drafts.ts'
import type { RoomRow } from '#server/store/room.ts'
import { findTalk, talkNode } from '#server/store/room-talk.ts'
import { readItemSegment, writeItemSegment } from '#shared/paths.ts'
import type { RoomFormView, RoomView } from '#web/views.ts'
import { joinUri } from '../room-paths.ts'
import { PEOPLE } from '../routes/people.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import type { Exchange } from './page.ts'
import { readRoomNames } from './room-names.ts'
import { sayDomains } from './sign-in.ts'

export interface Speaking {
  /** The segment of the message that is answered. */
  readonly reply?: string | undefined
  /** What could not be sent, or the name that could not be had. */
  readonly typed?: string | undefined
  readonly problem?: string | undefined
}

interface Speaker extends Speaking {
  readonly room: RoomRow
  /** The page. */
  readonly path: string
  readonly name: string
  readonly isMember: boolean
}

/** The form, or how to get one, or why there is none. */
export async function viewSpeaking(
  web: Web,
  { visit }: Exchange,
  speaker: Speaker,
): Promise<Pick<RoomView, 'form' | 'join' | 'closed' | 'howTo'>> {
  const { ctx, tokens } = web
  const { room, path, name, isMember, typed, problem } = speaker
  const { person } = visit
  if (person === undefined) {
    const next = new URLSearchParams({ next: `${path}#say` })
    const domains = sayDomains(ctx.config)
    return { howTo: { signinUrl: `/signin?${next}`, xmppUri: joinUri(room.channel), domains } }
  }
  if (isMember) {
    const kept = { kind: 'message', at: talkNode(room.channel) } as const
    const draft = typed === undefined ? await findPlacedDraft(ctx.state, person.jid, kept) : undefined
    const reply = speaker.reply ?? (draft?.answers && writeItemSegment(draft.answers.item))
    const cancelUrl = `${path}${draft?.answers === undefined ? '' : '?reply='}#say`
    const token = tokens.issue(person)
    return { form: await viewForm(web, { ...speaker, typed: typed ?? draft?.text, reply, cancelUrl, token }) }
  }
  if (ctx.rooms.mayUse(person.jid) === false)
    return { closed: 'Your XMPP server does not know rooms (MIX), so you can only read here.' }
  return { join: { action: `${path}/join`, token: tokens.issue(person), name: typed ?? name, problem } }
}

async function viewForm(
  { ctx }: Web,
  { room, path, name, reply, typed, problem, token, cancelUrl }: Speaker & { token: string; cancelUrl: string },
): Promise<RoomFormView> {
  const item = reply === undefined ? undefined : readItemSegment(reply)
  const answered = item && (await findTalk(ctx.index, { ...talkNode(room.channel), item }))
  const answeredName = answered && (await readRoomNames(ctx, room, [answered])).sayName(answered)
  return {
    ...{
      action: `${path}/messages`,
      leaveAction: `${path}/leave`,
      peopleUrl: `${path}/${PEOPLE}`,
      token,
      key: createFormKey(),
      name,
    },
    ...{ text: typed, problem },
    ...(answered === undefined || reply === undefined
      ? {}
      : { replyTo: { name: answeredName, item: reply, text: answered.text, cancelUrl } }),
  }
}
