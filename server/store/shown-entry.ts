import { sql } from 'kysely'
import type { BareJid } from '#shared/jid.ts'

/** The condition that an entry is shown, or waits for approval and is the reader's own. */
export function isShownTo(reader?: BareJid) {
  if (reader === undefined) return sql<boolean>`entry.hold IS NULL`
  return sql<boolean>`(entry.hold IS NULL OR (entry.hold = 'held' AND ${isWrittenBy(reader)}))`
}

/** The condition that an entry has somebody's own words. */
export function isWrittenBy(jid: BareJid) {
  return sql<boolean>`coalesce(entry.contributor, entry.author, '') = ${jid}`
}
