import { AppError, describeError, explainTooLong } from '#server/errors.ts'
import { findPost } from '#server/store/post.ts'
import {
  addProof,
  countAsked,
  countUnpublished,
  findProof,
  listProofsOf,
  moveProof,
  type Proof,
} from '#server/store/proof.ts'
import { findBlockOfNode } from '#server/store/site-block.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { type ItemAddress, type ItemId, type NodeAddress, sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { cleanLine } from '#shared/text.ts'
import { createElement as el } from '#shared/xml.ts'
import { findBlocker } from '../blocks.ts'
import { createCode, sayCode } from './code.ts'
import type { ProofsDeps } from './proofs.ts'

/** What somebody who is not signed in wants to say. */
export interface Asking {
  /** Of the form, so that it counts once; later in the address of the page that tells how it stands. */
  readonly key: string
  readonly post: ItemAddress
  readonly reply?: ItemId
  readonly text: string
  readonly name: string
  /** Whom to ask (XEP-0070); without it they send us the code. */
  readonly asked?: BareJid
  /** A keyed hash of the web address. */
  readonly sender: string
}

/** Characters. */
export const LONGEST_TEXT = 5_000
const LONGEST_NAME = 60
const MINUTE = 60_000
/** For the code, and for an answer to a question. */
const CODE_MS = 30 * MINUTE
const QUESTION_MS = 5 * MINUTE
const HOUR = 60 * MINUTE
/** An account asked only once in this time can mean nothing else by a plain "Yes". */
export const ONE_QUESTION_MS = 24 * HOUR
const MOST_WAITING = 5
const MOST_AN_HOUR = 20
const MOST_QUESTIONS_TO_ONE = 3
const MOST_QUESTIONS_OF_ONE = 6
const MOST_QUESTIONS = 120
/** Limit for all accounts together; more within a day is a flood. */
const MOST_UNPUBLISHED = 5_000

/** Keeps the text and gives out its code, or asks who is said to have written it. Rejects with a sentence. */
export async function askForProof(deps: ProofsDeps, asking: Asking): Promise<Proof> {
  const { key, post, text, sender } = asking
  const now = deps.clock()
  if (deps.site.status !== 'online') {
    throw new AppError('unavailable', 'This site is not connected at the moment. Try again in a few minutes.')
  }
  if (text.trim() === '') throw new AppError('bad-request', 'Write a comment first.')
  if (text.length > LONGEST_TEXT) {
    throw new AppError('too-large', explainTooLong('This comment', text.length, LONGEST_TEXT))
  }
  const recent = await listProofsOf(deps.state, sender, new Date(now.getTime() - HOUR))
  const again = (await findProof(deps.state, key)) ?? recent.find((other) => isSame(other, asking, now))
  if (again !== undefined && isSame(again, asking, now)) return again
  requireFew(recent, now)
  if ((await countUnpublished(deps.state)) >= MOST_UNPUBLISHED) {
    throw new AppError('too-many', 'Too many comments wait on this site. Try again tomorrow.', { retryAfter: 86_400 })
  }
  await requireMayComment(deps, asking)
  if (asking.asked !== undefined) await requireFewQuestions(deps, { asked: asking.asked, recent, now })
  const proof = await addProof(deps.state, {
    // Of a form that was sent before with other words: the back button.
    key: again === undefined ? key : crypto.randomUUID(),
    code: createCode(),
    ...{ post, text, sender, reply: asking.reply, asked: asking.asked },
    name: cleanLine(asking.name, LONGEST_NAME),
    createdAt: now,
    expiresAt: new Date(now.getTime() + (asking.asked === undefined ? CODE_MS : QUESTION_MS)),
  })
  return proof.asked === undefined ? proof : sendQuestion(deps, proof, proof.asked)
}

/** Whether it is the same, sent twice. */
function isSame(proof: Proof, { post, reply, text, name, asked }: Asking, now: Date): boolean {
  if (!sameAddress(proof.post, post) || proof.text !== text || proof.reply !== reply || proof.asked !== asked)
    return false
  if (proof.name !== cleanLine(name, LONGEST_NAME)) return false
  return proof.status === 'waiting' ? proof.expiresAt > now : proof.status === 'proved' || proof.status === 'published'
}

function requireFew(recent: readonly Proof[], now: Date): void {
  const waiting = recent.filter(({ status, expiresAt }) => status === 'waiting' && expiresAt > now)
  if (waiting.length < MOST_WAITING && recent.length < MOST_AN_HOUR) return
  throw new AppError('too-many', 'Too many comments wait to be confirmed. Confirm them, or wait half an hour.', {
    retryAfter: 1_800,
  })
}

async function requireMayComment(deps: ProofsDeps, { post, asked }: Asking): Promise<void> {
  const found = await findPost(deps.index, post)
  if (found === undefined || found === 'gone') throw new AppError('not-found', 'There is no such post.')
  if (found.comments === undefined) throw new AppError('forbidden', 'This post takes no comments.')
  if ((await findClosedThread(deps.state, post)) !== undefined) {
    throw new AppError('forbidden', 'The comments on this post are closed.')
  }
  if (asked === undefined) return
  if (asked === deps.site.jid) throw new AppError('bad-request', 'This is the address of this site, not yours.')
  await requireWelcome(deps, found.comments, asked)
}

/** Neither the blog nor the site has shut them out. */
export async function requireWelcome(deps: ProofsDeps, comments: NodeAddress, jid: BareJid): Promise<void> {
  const block = (await findBlocker(deps, comments, jid)) ?? (await findBlockOfNode(deps.state, comments, jid))
  if (block !== undefined) throw new AppError('forbidden', 'This blog takes no comments from this address.')
}

async function requireFewQuestions(
  { state }: ProofsDeps,
  { asked, recent, now }: { asked: BareJid; recent: readonly Proof[]; now: Date },
): Promise<void> {
  const since = new Date(now.getTime() - HOUR)
  const own = recent.filter((proof) => proof.asked !== undefined)
  const isTooMany =
    own.length >= MOST_QUESTIONS_OF_ONE ||
    (await countAsked(state, since, asked)) >= MOST_QUESTIONS_TO_ONE ||
    (await countAsked(state, since)) >= MOST_QUESTIONS
  if (!isTooMany) return
  throw new AppError(
    'too-many',
    'This address was asked often enough for now. Leave it empty to get a code that you send yourself.',
    {
      retryAfter: 3_600,
    },
  )
}

/** XEP-0070 §4.4: to the bare JID by a message, with words for clients that do not know it. Never sent again. */
async function sendQuestion(deps: ProofsDeps, proof: Proof, asked: BareJid): Promise<Proof> {
  const url = deps.urlOf(proof)
  const since = new Date(proof.createdAt.getTime() - ONE_QUESTION_MS)
  const words = (await countAsked(deps.state, since, asked)) === 1 ? 'this code, or "Yes"' : 'this code'
  const body = [
    'Somebody, maybe you, wants to publish a comment in your name.',
    `Read it first: ${url}`,
    `The page there shows the code ${sayCode(proof.code)}. To confirm, answer with ${words}. If it was not you, answer "No", or nothing.`,
  ].join('\n')
  const confirm = el('confirm', { xmlns: NS.HTTP_AUTH, id: sayCode(proof.code), method: 'POST', url })
  try {
    const message = { to: asked, type: 'normal', id: questionId(proof), body, thread: proof.key } as const
    await deps.site.sendMessage({ ...message, payloads: [confirm] })
    return proof
  } catch (error) {
    deps.log.warn(`A question to ${asked} could not be sent: ${describeError(error)}`)
    const problem = 'The question could not be sent. Try again in a few minutes.'
    return (await moveProof(deps.state, proof.key, { from: 'waiting', status: 'denied', problem })) ?? proof
  }
}

/** Of the message that asks: an error comes back with it. */
export function questionId({ code }: Pick<Proof, 'code'>): string {
  return `proof-${code}`
}
