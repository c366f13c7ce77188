import { saveEntry } from '#server/store/entry.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import { saveParticipant } from '#server/store/participant.ts'
import { saveRoom, saveRoomMember } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { textToHtml } from '#shared/markup.ts'
import { jidOf } from '#test/support/context.ts'
import { BLOG, JULIET } from '../feeds/fixtures.ts'
import { seedAuthor } from './seed.ts'
import type { TestSite } from './test-site.ts'

export const CHANNEL = jidOf('r4nd0m@mix.capulet.example')

/** Juliet's blog with an open room in which Romeo is. */
export async function seedRoom(site: TestSite, { members = [] }: { members?: readonly string[] } = {}): Promise<void> {
  const { ctx } = site
  await seedAuthor(site)
  const now = ctx.clock()
  await saveRoom(ctx.state, { blog: BLOG, channel: CHANNEL, owner: JULIET, since: now, status: 'open' })
  const address = talkNode(CHANNEL)
  await addNode(ctx.index, { address, kind: 'room', owner: JULIET, now })
  await updateNode(ctx.index, address, { isWaiting: 0 })
  const people = { romeo: 'romeo@montague.example', canto: ctx.siteJid }
  for (const [nick, jid] of Object.entries(people))
    await saveParticipant(ctx.index, {
      channel: CHANNEL,
      id: nick,
      jid: jidOf(jid),
      nick,
      isPresent: true,
      seenAt: now,
    })
  for (const jid of members)
    await saveRoomMember(ctx.state, { channel: CHANNEL, jid: jidOf(jid), participant: jid, nick: 'Roma', since: now })
}

export interface Words {
  readonly from?: string
  readonly nick?: string
  readonly text?: string
  readonly at?: string
  readonly kind?: 'announcement' | 'answer' | 'talk'
  readonly root?: ItemAddress
  readonly reply?: string
  readonly hold?: 'held' | 'removed'
}

/** Puts something into the room, as the index keeps it. */
export async function seedTalk({ ctx }: TestSite, item: string, words: Words = {}): Promise<void> {
  const { from = 'romeo@montague.example', nick = 'Romeo', text = item, kind = 'talk', root, reply } = words
  const node = await findNode(ctx.index, talkNode(CHANNEL))
  if (node === undefined) throw new Error('There is no room')
  const at = words.at === undefined ? ctx.clock().getTime() : new Date(words.at).getTime()
  const nothing = { claimedJid: null, summary: null, language: null, direction: null, atomId: null, alternate: null }
  await saveEntry(
    ctx.index,
    {
      ...nothing,
      ...{ nodeId: node.id, item: asItemId(item), publisher: jidOf(from), author: jidOf(from), claimedName: nick },
      ...{ credit: 'credited', isPost: 0, isLike: 0, title: text, isUntitled: 1, excerpt: text.slice(0, 200) },
      ...{ html: textToHtml(text), tags: '[]', publishedAt: at, updatedAt: at, isEdited: 0, payload: '<message/>' },
      ...{ commentsService: null, commentsNode: null, contributor: null, profile: 'room' },
      ...{ replyService: reply ? CHANNEL : null, replyNode: reply ? node.address.node : null },
      replyItem: reply ? asItemId(reply) : null,
      ...{ firstSeenAt: at, changedAt: at, arrivedAt: at, more: JSON.stringify({ kind, nick }) },
      hold: words.hold ?? null,
      ...{ rootService: root?.service ?? null, rootNode: root?.node ?? null, rootItem: root?.item ?? null },
      ...{ viaService: null, viaNode: null, viaItem: null },
    },
    [],
  )
}
