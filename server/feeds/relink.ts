import { AppError } from '#server/errors.ts'
import { listPayloads } from '#server/store/entry.ts'
import { asItemId } from '#shared/address.ts'
import { readEntry } from '#shared/entry.ts'
import { isOwnTagUri } from '#shared/item-id.ts'
import type { BareJid } from '#shared/jid.ts'
import { parseXml } from '#shared/xml.ts'
import { listAuthors } from './authors.ts'
import { blogOf } from './indexing.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { alternateOf } from './perform-post.ts'
import { queue } from './queue-row.ts'

/** Queues every post of the site whose web address has changed, to be sent by its author's session; returns how many. */
export async function relink(deps: QueueDeps): Promise<number> {
  if (!deps.config.isUrlSet) throw new AppError('bad-request', 'Set CANTO_URL first: the address that posts link to')
  let count = 0
  for (const author of await listAuthors(deps)) {
    for await (const posts of listPayloads(deps.index, blogOf(author))) {
      for (const { item, payload } of posts) {
        const address = { ...blogOf(author), item }
        const alternate = alternateOf(deps, address)
        if (alternate === undefined || !isMoved(payload, { author, item, alternate })) continue
        const key = `${alternate} ${deps.clock().toISOString()}`
        await queue(deps, { kind: 'relink', alternate }, { account: author, address, key })
        count++
      }
    }
  }
  return count
}

/** Our own posts, and those whose page was at this very path: other pages are their authors' business. */
function isMoved(
  text: string,
  { author, item, alternate }: { author: BareJid; item: string; alternate: string },
): boolean {
  const payload = parseXml(text)
  const entry = payload === undefined ? undefined : readEntry(payload)
  if (entry === undefined || entry.alternate === alternate) return false
  if (entry.atomId !== undefined && isOwnTagUri(entry.atomId, author, asItemId(item))) return true
  return entry.alternate !== undefined && URL.parse(entry.alternate)?.pathname === new URL(alternate).pathname
}
