import { findBlock } from '#server/store/community.ts'
import type { StateDb } from '#server/store/database.ts'
import { findNewsEntry, type NewsEntry } from '#server/store/news.ts'
import { findNode } from '#server/store/node.ts'
import { findRoom } from '#server/store/room.ts'
import { listRightfulPosts } from '#server/store/thread-node.ts'
import { listThreadWishes, type ThreadWish } from '#server/store/thread-wish.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { ownerOfThread } from '../entry-row.ts'
import type { News } from './notify.ts'
import { mayBeTold, type ReadableDeps } from './readable.ts'

export interface AudienceDeps extends ReadableDeps {
  readonly state: StateDb
}

/** Whom the words of one entry concern, and why: everybody once, as what concerns them most. */
export async function listAudience(deps: AudienceDeps, entry: NewsEntry): Promise<News[]> {
  if (entry.hold !== null || entry.isLike === 1) return []
  const more = readMore(entry)
  if (more.kind === 'announcement') return []
  const address: ItemAddress = { service: entry.service, node: entry.node, item: entry.item }
  const posts = entry.isPost === 1 ? [address] : await listPosts(deps, entry, address)
  const reasons = new Map<BareJid, News['kind']>()
  if (entry.isPost === 1) {
    const original = await findOriginalAuthor(deps, entry)
    if (original !== undefined) reasons.set(original, 'repost')
  } else {
    for (const jid of await listThreadOwners(deps, posts)) reasons.set(jid, 'comment')
  }
  const wishes = await readWishes(deps, posts)
  if (entry.isPost === 0) for (const [jid, wish] of wishes) if (wish === 'follow') reasons.set(jid, 'comment')
  for (const jid of more.mentions) if (reasons.get(jid) !== 'repost') reasons.set(jid, 'mention')
  const answered = entry.isPost === 1 ? undefined : await findAnswered(deps, entry)
  if (answered !== undefined) reasons.set(answered, 'reply')

  const room = reasons.size > 0 ? await findTalkPlace(deps, entry) : undefined
  const actor = entry.contributor ?? entry.author ?? undefined
  const news: News[] = []
  for (const [jid, kind] of reasons) {
    if (jid === actor || wishes.get(jid) === 'mute' || (await isShutOut(deps, jid, actor))) continue
    if (!(await mayBeTold(deps, jid, [address, ...posts]))) continue
    const said = kind === 'repost' ? '' : entry.isPost === 1 ? entry.title : entry.excerpt || entry.title
    news.push({
      ...{ jid, kind, about: address, actor, text: said, at: new Date(entry.arrivedAt) },
      post: kind === 'repost' ? viaOf(entry) : (posts[0] ?? room),
      actorName: more.contributorName ?? more.nick ?? entry.personName ?? entry.claimedName ?? undefined,
    })
  }
  return news
}

interface More {
  readonly kind?: unknown
  readonly nick?: string
  readonly contributorName?: string
  readonly mentions: readonly BareJid[]
}

function readMore(entry: NewsEntry): More {
  const { kind, nick, mentions, contributor } = JSON.parse(entry.more) as Record<string, unknown>
  const name = contributor !== null && typeof contributor === 'object' && 'name' in contributor && contributor.name
  return {
    kind,
    ...(typeof nick === 'string' && { nick }),
    ...(typeof name === 'string' && name !== '' && { contributorName: name }),
    mentions: Array.isArray(mentions) ? mentions.filter((jid): jid is BareJid => typeof jid === 'string') : [],
  }
}

async function listPosts({ index }: AudienceDeps, entry: NewsEntry, address: ItemAddress): Promise<ItemAddress[]> {
  const { rootService: service, rootNode: node, rootItem: item } = entry
  if (service !== null && node !== null && item !== null) return [{ service, node, item }]
  return entry.kind === 'room' ? [] : listRightfulPosts(index, address)
}

/** The blog in whose room it was said, as the address of a post without an item. */
async function findTalkPlace({ state }: AudienceDeps, { kind, service }: NewsEntry): Promise<ItemAddress | undefined> {
  const room = kind === 'room' ? await findRoom(state, service) : undefined
  return room && { ...room.blog, item: asItemId('') }
}

/** Whose the posts are, and whose comments they are to look after. */
async function listThreadOwners({ index }: AudienceDeps, posts: readonly ItemAddress[]): Promise<Set<BareJid>> {
  const owners = new Set<BareJid>()
  for (const post of posts) {
    const row = await findNewsEntry(index, post)
    const node = await findNode(index, post)
    const owner = row && node && ownerOfThread(node, row.author)
    for (const jid of [owner, row?.author]) if (jid != null) owners.add(jid)
  }
  return owners
}

async function readWishes({ state }: AudienceDeps, posts: readonly ItemAddress[]): Promise<Map<BareJid, ThreadWish>> {
  const wishes = new Map<BareJid, ThreadWish>()
  for (const post of posts) for (const [jid, wish] of await listThreadWishes(state, post)) wishes.set(jid, wish)
  return wishes
}

/** Who wrote the comment or the message that this one answers. */
async function findAnswered({ index }: AudienceDeps, entry: NewsEntry): Promise<BareJid | undefined> {
  const { replyService: service, replyNode: node, replyItem: item } = entry
  if (service === null || node === null || item === null) return undefined
  const answered = await findNewsEntry(index, { service, node, item })
  if (answered === undefined || answered.isPost === 1 || readMore(answered).kind === 'announcement') return undefined
  return answered.contributor ?? answered.author ?? undefined
}

function viaOf({ viaService: service, viaNode: node, viaItem: item }: NewsEntry): ItemAddress | undefined {
  return service === null || node === null || item === null ? undefined : { service, node, item }
}

/** Whose post was reposted: as the index knows it, else whose blog it says to be from. */
async function findOriginalAuthor({ index }: AudienceDeps, entry: NewsEntry): Promise<BareJid | undefined> {
  const via = viaOf(entry)
  if (via === undefined) return undefined
  const original = await findNewsEntry(index, via)
  if (original !== undefined) return original.author ?? undefined
  return via.node === NS.MICROBLOG && localPart(via.service) !== undefined ? via.service : undefined
}

/** Whether somebody has blocked who did it, or their server. */
export async function isShutOut(
  { state }: Pick<AudienceDeps, 'state'>,
  jid: BareJid,
  actor: BareJid | undefined,
): Promise<boolean> {
  if (actor === undefined) return false
  const blog = { service: jid, node: NS.MICROBLOG }
  for (const whom of [actor, domainOf(actor)]) if ((await findBlock(state, blog, whom)) !== undefined) return true
  return false
}

/** Whose post a reaction is under, if they want to know. */
export async function findReactionAudience(deps: AudienceDeps, post: ItemAddress): Promise<BareJid[]> {
  const wishes = await readWishes(deps, [post])
  const row = await findNewsEntry(deps.index, post)
  return row?.author == null || wishes.get(row.author) === 'mute' ? [] : [row.author]
}
