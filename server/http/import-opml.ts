import { isAppError } from '#server/errors.ts'
import { describeOutcome, type FollowDeps, followNodes, type Wish } from '#server/feeds/follow.ts'
import { listFollows } from '#server/store/follow.ts'
import { readXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Outline, readOpml } from '#shared/opml.ts'
import { type DiscoverDeps, type Discovered, discover } from './discover.ts'
import { readTypedAddress } from './read-address.ts'

/** What became of an outline. */
export interface Imported {
  readonly title: string
  /** Why it is not followed, in a sentence. */
  readonly problem?: string
}

export interface ImportParts {
  readonly follower: BareJid
  /** The document. */
  readonly text: string
  readonly discovery: DiscoverDeps
}

type Found = { readonly wish: Wish } | { readonly problem: string }

const MOST_OUTLINES = 2_000
/** Each asks a stranger's web server. */
const MOST_LOOKED_UP = 50
const AT_ONCE = 5

/** Follows what a list names, as far as it can be found on XMPP. */
export async function importOpml(deps: FollowDeps, { follower, text, discovery }: ImportParts): Promise<Imported[]> {
  const outlines = readOpml(text, MOST_OUTLINES)
  const follows = await listFollows(deps.state, follower)
  // What an earlier import found need not be looked for again.
  const known = new Map(follows.map((follow) => [follow.feedUrl, { wish: follow } as const]))
  const named = outlines.map(
    (outline) =>
      readNamed(discovery, outline) ?? (outline.xmlUrl === undefined ? undefined : known.get(outline.xmlUrl)),
  )
  const found = await findAll(discovery, outlines, named)
  const wishes = found.flatMap((each) => ('wish' in each ? each.wish : []))
  const outcomes = await followNodes(deps, follower, wishes)
  const left = outcomes.values()
  return outlines.map((outline, n) => {
    const each = found[n]
    const title = outline.title || outline.xmppUri || outline.htmlUrl || outline.xmlUrl || ''
    if (each === undefined || 'problem' in each) return { title, problem: each?.problem }
    return { title, problem: describeOutcome(left.next().value ?? 'followed', each.wish) }
  })
}

async function findAll(
  discovery: DiscoverDeps,
  outlines: readonly Outline[],
  named: readonly (Found | undefined)[],
): Promise<Found[]> {
  const found = [...named]
  const unnamed = [...found.keys()].filter((n) => found[n] === undefined)
  const waiting = unnamed.slice(0, MOST_LOOKED_UP)
  const look = async (): Promise<void> => {
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
      const outline = outlines[n]
      if (outline !== undefined) found[n] = await lookUp(discovery, outline)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look))
  const problem = `It was not looked for: of pages on the web, ${MOST_LOOKED_UP} are looked at at a time. Import the list again for more.`
  return found.map((each) => each ?? { problem })
}

/** What a list names on XMPP itself. */
function readNamed(discovery: DiscoverDeps, outline: Outline): Found | undefined {
  for (const uri of [outline.xmppUri, outline.xmlUrl, outline.htmlUrl]) {
    if (uri === undefined || !/^xmpp:/i.test(uri) || readXmppUri(uri) === undefined) continue
    try {
      const typed = readTypedAddress(uri)
      if (typed.kind === 'node') return toFound(discovery, outline, typed)
    } catch (error) {
      if (!isAppError(error)) throw error
    }
  }
  return undefined
}

async function lookUp(discovery: DiscoverDeps, outline: Outline): Promise<Found> {
  try {
    return toFound(discovery, outline, await discover(discovery, outline.htmlUrl ?? outline.xmlUrl ?? ''))
  } catch (error) {
    if (!isAppError(error)) throw error
    return { problem: error.message }
  }
}

function toFound(
  { site, explainReach }: DiscoverDeps,
  { title, xmlUrl = '' }: Outline,
  { address, feedUrl }: Discovered,
): Found {
  const problem = explainReach?.(address.service)
  if (problem !== undefined) return { problem }
  // Our own may be under somebody's secret address, which no other list is to hold.
  const isOthers = /^https?:/i.test(xmlUrl) && URL.parse(xmlUrl)?.origin !== site.url.origin
  return { wish: { address, title: title || undefined, feedUrl: isOthers ? xmlUrl : feedUrl } }
}
