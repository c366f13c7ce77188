import type * as view from '#web/views.ts'
import type { CommunitySample } from './sample-communities.ts'
import { html, LONG_NAME } from './sample-posts.ts'

/** The pages of rooms, in their states. */
export function roomSamples(
  layout: (title: string, more?: Partial<view.Layout>) => view.Layout,
): readonly CommunitySample[] {
  const at = (time: string) => ({ published: `2026-03-14T${time}Z`, url: `/@juliet/room/messages/${time}` })
  const talk: readonly view.TalkGroupView[] = [
    {
      name: 'The Verona Papers',
      isOwner: false,
      messages: [
        {
          ...{ id: 'message-a', ...at('20:58:00'), html: html('<p>New</p>') },
          post: { title: 'Against counting sheep', url: '/@juliet/sheep', isNew: true },
        },
      ],
    },
    {
      name: LONG_NAME,
      isOwner: false,
      messages: [
        {
          ...{ id: 'message-b', ...at('21:01:00'), html: html('<p>I count larks.<br />They are louder.</p>') },
          ...{ post: { title: 'Against counting sheep', url: '/@juliet/sheep/comments/room.b', isNew: false } },
          ...{ replyUrl: '?reply=b#say', removeUrl: '/remove', isEdited: true },
        },
        {
          ...{ id: 'message-c', ...at('21:02:00'), html: html(`<p>https://${'long'.repeat(40)}.example/</p>`) },
          ...{ isHeld: true, replyUrl: '?reply=c#say' },
        },
      ],
    },
    {
      name: 'Juliet',
      isOwner: true,
      messages: [
        {
          ...{ id: 'message-d', ...at('21:09:00'), html: html('<p>It was the nightingale.</p>') },
          ...{ to: { name: LONG_NAME, url: '#message-b' }, replyUrl: '?reply=d#say', removeUrl: '/remove' },
        },
        {
          ...{ id: 'message-e', published: '2026-03-14T21:10:00Z', html: html('<p>Believe me, love.</p>') },
          waiting: { reason: 'The server does not answer.', nextTry: '2026-03-14T21:20:00Z' },
        },
      ],
    },
  ]
  const people = [{ name: 'Juliet', isOwner: true }, { name: LONG_NAME, isOwner: false }, { isOwner: false }]
  const blog = { title: 'The Verona Papers', url: '/@juliet', language: 'en' }
  const previous = { url: '/@juliet/room?day=2026-03-12', day: '2026-03-12T00:00:00.000Z' }
  const next = { url: '/@juliet/room?day=2026-03-15', day: '2026-03-15T00:00:00.000Z' }
  const day = { blog, talk, people, peopleCount: 3, day: '2026-03-14T00:00:00.000Z', previousDay: previous }
  const empty = { blog, talk: [], people: [], peopleCount: 0 }
  const form = {
    action: '/@juliet/room/messages',
    peopleUrl: '/people.json',
    token: 't',
    key: 'a-form-key',
    name: 'Juliet',
    leaveAction: '/leave',
  }
  const replyTo = { name: 'Romeo', item: 'b', text: 'I count larks.', cancelUrl: '/@juliet/room#say' }
  const xmppUri = 'xmpp:c8a21f7e9b@mix.capulet.example?join'
  const join = { action: '/@juliet/room/join', token: 't', name: 'Romeo' }
  const problem = 'Write the name that you want to have in the room.'
  const waiting = { reason: 'Your server has not answered yet.', nextTry: '2026-03-14T21:20:00Z' }
  const nobody = { person: undefined }
  return [
    ['room', 'room', { layout: layout('Room'), ...day, form, live: { url: '/live', version: '1' } }],
    ['room-answer', 'room', { layout: layout('Room'), ...day, form: { ...form, replyTo, text: 'So do I.', problem } }],
    [
      'room-visitor',
      'room',
      {
        ...{ layout: layout('Room', nobody), ...day, nextDay: next, howTo: { signinUrl: '/signin', xmppUri } },
        ...{ earlierUrl: '?before=1', laterUrl: '?after=1', nowUrl: '/@juliet/room' },
      },
    ],
    ['room-join', 'room', { layout: layout('Room'), ...empty, join: { ...join, problem, name: '' }, joining: waiting }],
    ['room-no-mix', 'room', { layout: layout('Room'), ...empty, closed: 'Your XMPP server does not know rooms.' }],
    [
      'room-unsent',
      'room-unsent',
      {
        ...{ layout: layout('This room was closed.'), heading: 'This room was closed.' },
        ...{ text: 'It was the nightingale.', back: { title: 'The Verona Papers', url: '/@juliet' } },
      },
    ],
    ['room-arabic', 'room', { layout: layout('الغرفة', { language: 'ar' }), ...day, join }],
  ]
}
