import { AppError } from '#server/errors.ts'
import {
  addAuthorRow,
  findAuthor,
  type HiddenPost,
  listAuthorRows,
  saveConsent,
  saveMaxItems,
} from '#server/store/author.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { clearNextTries } from '#server/store/outbox.ts'
import { saveOwnAccess } from '#server/store/own-access.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import { applyAccess } from './access.ts'
import { ensureBlogNode } from './blog-node.ts'
import { blogOf, type Indexing } from './indexing.ts'
import type { Live } from './live.ts'
import { findNodeAgain } from './lose-node.ts'
import { mendThreads } from './mend-threads.ts'

export interface AuthorsDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
  readonly sessions: (jid: BareJid) => Pick<XmppSession, 'status' | 'pubsub'> | undefined
  readonly indexing?: Pick<Indexing, 'watch'>
  readonly outbox?: { wake(account: BareJid): void }
}

export type AuthorOutcome =
  | { readonly kind: 'ready' }
  /** Its node was there before and is not open: the owner is asked once. */
  | { readonly kind: 'needs-consent'; readonly posts: readonly HiddenPost[] }
  /** The owner said no: the blog stays as it is and is not shown. */
  | { readonly kind: 'refused' }
  /** Nobody is signed in as the author now: done at the next sign-in. */
  | { readonly kind: 'waiting' }

/** Makes an account an author of the site; with its own session, its blog's node too. Again does no harm. */
export async function addAuthor(deps: AuthorsDeps, jid: BareJid): Promise<AuthorOutcome> {
  const address = blogOf(jid)
  await addAuthorRow(deps.state, jid, deps.clock())
  await addNode(deps.index, { address, kind: 'blog', owner: jid, now: deps.clock() })
  const outcome = await prepareBlog(deps, jid)
  deps.indexing?.watch(address)
  return outcome
}

/** The author's answer about a node that was there before: a yes is about the posts that were last listed. */
export async function answerConsent(deps: AuthorsDeps, jid: BareJid, isGiven: boolean): Promise<AuthorOutcome> {
  const author = await findAuthor(deps.state, jid)
  if (author === undefined) throw new AppError('forbidden', `${jid} is no author here`)
  await saveConsent(deps.state, jid, { consent: isGiven ? 'given' : 'refused', posts: author.consentPosts })
  const outcome = await prepareBlog(deps, jid)
  deps.indexing?.watch(blogOf(jid))
  // What waited for the answer waits no longer.
  await clearNextTries(deps.state, jid)
  deps.outbox?.wake(jid)
  return outcome
}

/** Sees that the author's node is there and open, as far as its owner lets us. */
export async function prepareBlog(deps: AuthorsDeps, jid: BareJid): Promise<AuthorOutcome> {
  const session = deps.sessions(jid)
  const author = await findAuthor(deps.state, jid)
  if (author === undefined || session === undefined || session.status !== 'online') return { kind: 'waiting' }
  const address = blogOf(jid)
  const node = await ensureBlogNode(session.pubsub, address, {
    agreed: author.consent === 'given' ? author.consentPosts : undefined,
  })
  if (node.kind === 'ready') {
    await saveMaxItems(deps.state, jid, node.maxItems)
    await saveOwnAccess(deps.state, address, { accessModel: 'open', now: deps.clock() })
    await addNode(deps.index, { address, kind: 'blog', owner: jid, now: deps.clock() })
    // A node made anew is not found again here: its next reading tells what became of its former items.
    const isHidden = (await findNode(deps.index, address))?.status === 'hidden'
    if (node.how === 'exists' || !isHidden) await findNodeAgain(deps, address, 'open')
    // The question was about the node as it was; a later closing is asked about anew.
    if (author.consent !== 'unasked') await saveConsent(deps.state, jid, { consent: 'unasked' })
    await mendThreads(deps, session.pubsub, jid)
    return { kind: 'ready' }
  }
  await saveOwnAccess(deps.state, address, { accessModel: node.accessModel, now: deps.clock() })
  const known = await findNode(deps.index, address)
  if (known !== undefined) await applyAccess(deps, known, 'restricted')
  const isRefused = author.consent === 'refused'
  await saveConsent(deps.state, jid, { consent: isRefused ? 'refused' : 'asked', posts: node.posts })
  return isRefused ? { kind: 'refused' } : { kind: 'needs-consent', posts: node.posts }
}

/** The site's own authors, in the order they came. */
export async function listAuthors({ state }: { readonly state: StateDb }): Promise<BareJid[]> {
  return (await listAuthorRows(state)).map(({ jid }) => jid)
}

/** Whom to ask, and about what, before their blog can be shown. */
export async function findConsentQuestion(
  { state }: { readonly state: StateDb },
  jid: BareJid,
): Promise<readonly HiddenPost[] | undefined> {
  const author = await findAuthor(state, jid)
  return author?.consent === 'asked' ? author.consentPosts : undefined
}
