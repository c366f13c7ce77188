import { createHash } from 'node:crypto'
import type { StateDb } from '#server/store/database.ts'
import { findFeedCounter, findReaderByKnownFeed, saveFeedCounter } from '#server/store/reader.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import type { Secret } from './secret.ts'

export interface FeedSecretDeps {
  readonly state: StateDb
  readonly secret: Secret
  readonly clock: () => Date
}

const PURPOSE = 'feed'

/** The secret in the address of somebody's own feeds, if they have asked for one: an HMAC of JID and counter. */
export async function findFeedSecret(
  { state, secret }: Omit<FeedSecretDeps, 'clock'>,
  jid: BareJid,
): Promise<string | undefined> {
  const counter = await findFeedCounter(state, jid)
  return counter === undefined ? undefined : writeSecret(secret, jid, counter)
}

/** The same, made where they have not. */
export async function requireFeedSecret(deps: FeedSecretDeps, jid: BareJid): Promise<string> {
  return (await findFeedSecret(deps, jid)) ?? renewFeedSecret(deps, jid)
}

/** A new secret: the addresses with the old one lead nowhere. */
export async function renewFeedSecret({ state, secret, clock }: FeedSecretDeps, jid: BareJid): Promise<string> {
  // Counted by the clock, so that whoever has an address after somebody else never gets a secret of theirs.
  const counter = Math.max(clock().getTime(), ((await findFeedCounter(state, jid)) ?? 0) + 1)
  await saveFeedCounter(state, jid, counter)
  return writeSecret(secret, jid, counter)
}

/** The person to whom the feeds with this secret belong. */
export async function findReaderBySecret(
  { state, secret }: Omit<FeedSecretDeps, 'clock'>,
  given: string,
): Promise<BareJid | undefined> {
  const [name = '', signature] = given.split('.', 2)
  // Secrets from before derivation have no dot. They are looked up by a hash, so the time taken tells nothing of them.
  if (signature === undefined)
    return findReaderByKnownFeed(state, createHash('sha256').update(given).digest('base64url'))
  const jid = readBareJid(Buffer.from(name, 'base64url').toString())
  const counter = jid && (await findFeedCounter(state, jid))
  if (jid === undefined || counter === undefined) return undefined
  return secret.isSignature(PURPOSE, signedText(jid, counter), signature) ? jid : undefined
}

function writeSecret(secret: Secret, jid: BareJid, counter: number): string {
  return `${Buffer.from(jid).toString('base64url')}.${secret.sign(PURPOSE, signedText(jid, counter))}`
}

function signedText(jid: BareJid, counter: number): string {
  return JSON.stringify([jid, counter])
}
