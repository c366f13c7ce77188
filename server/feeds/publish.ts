import type { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { findAccount } from '#server/store/account.ts'
import { findPersonName } from '#server/store/person.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { isWithinBounds, writeXml } from '#shared/xml.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'

/** What servers take that do not say how much they do. */
const USUAL_BYTES = 200_000
/** The stanza around the payload. */
const WRAPPING_BYTES = 2_048
/** COMPAT(Libervia 0.9, Prosody 13): much deeper than this hangs them. */
const DEEPEST = 200

/** The smallest stanza that RFC 6120 §13.12 wants a server to take is 10,000 bytes; those in use take this. */
const ALWAYS_BYTES = 60_000
/** So many connections lost over one item are no chance. */
const MOST_ATTEMPTS = 5

/** Sends an item, if its stanza would fit: an oversized one ends the stream for everything. */
export async function publish({ session, row }: Pick<Performance, 'session' | 'row'>, payload: Element): Promise<void> {
  if (!isWithinBounds(payload, { depth: DEEPEST })) {
    throw new AppError('too-large', 'The text is nested too deeply to be published')
  }
  const bytes = Buffer.byteLength(writeXml(payload)) + WRAPPING_BYTES
  const limit = row.attempts < MOST_ATTEMPTS ? (session.maxStanzaBytes ?? USUAL_BYTES) : ALWAYS_BYTES
  if (bytes > limit) {
    const kilobytes = (size: number) => `${Math.ceil(size / 1000)} kB`
    throw new AppError(
      'too-large',
      `This is too long for your server: ${kilobytes(bytes)} with its formatting, where ${kilobytes(limit)} fit. Make it shorter, or two posts`,
    )
  }
  await session.pubsub.publishItem(row.address, payload)
}

/** What somebody is called: as they last said, else as their account is. */
export async function nameOf({ index, state }: OutboxDeps, jid: BareJid): Promise<string> {
  const known = (await findPersonName(index, jid)) ?? (await findAccount(state, jid))?.name
  return known ?? localPart(jid) ?? jid
}
