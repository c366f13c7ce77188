import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import { type PersonName, readAuthor, selectShown } from './post-row.ts'

export interface RepostRow {
  readonly address: ItemAddress
  readonly author: PersonName
}

export interface Reposts {
  /** People, not posts. */
  readonly count: number
  /** The newest, so many as were asked for. */
  readonly rows: readonly RepostRow[]
}

/** Who shared a post where everybody may see it: on the web by their own sign, or as an author of the site. */
export async function listReposts(
  index: IndexDb,
  via: ItemAddress,
  { siteAuthors, limit }: { siteAuthors: readonly BareJid[]; limit: number },
): Promise<Reposts> {
  const query = selectReposts(index, via).where(({ eb, or }) =>
    or([eb('entry.alternate', 'is not', null), isOneOf('entry.author', siteAuthors)]),
  )
  const { count } = await query
    .select(({ fn }) => fn.count<number>('entry.author').distinct().as('count'))
    .executeTakeFirstOrThrow()
  if (count === 0) return { count, rows: [] }
  const rows = await query
    .select(['node.service', 'node.node', 'entry.item', 'entry.author', 'entry.claimedName'])
    .select('person.name as personName')
    .orderBy('entry.publishedAt', 'desc')
    .limit(limit)
    .execute()
  return {
    count,
    rows: rows.flatMap(({ service, node, item, ...who }) => {
      const author = readAuthor(who)
      return author === undefined ? [] : [{ address: { service, node, item }, author }]
    }),
  }
}

/** Somebody's own repost of a post. */
export async function findRepost(index: IndexDb, via: ItemAddress, author: BareJid): Promise<ItemAddress | undefined> {
  return selectReposts(index, via)
    .where('entry.author', '=', author)
    .select(['node.service', 'node.node', 'entry.item'])
    .executeTakeFirst()
}

/** Every repost of a post, `limit` at most. */
export async function listRepostAddresses(index: IndexDb, via: ItemAddress, limit: number): Promise<ItemAddress[]> {
  return selectReposts(index, via).select(['node.service', 'node.node', 'entry.item']).limit(limit).execute()
}

function selectReposts(index: IndexDb, { service, node, item }: ItemAddress) {
  return selectShown(index)
    .where('entry.viaService', '=', service)
    .where('entry.viaNode', '=', node)
    .where('entry.viaItem', '=', item)
    .where('entry.credit', '!=', 'unverified')
    .where('node.status', '=', 'open')
}
