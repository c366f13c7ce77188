import { countAsked, findProofByCode, listWaitingFor, type Proof } from '#server/store/proof.ts'
import type { Message } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { acceptProof, denyProof, isRemoved, removeProved } from './accept.ts'
import { ONE_QUESTION_MS, questionId } from './ask.ts'
import { findCode, readCode } from './code.ts'
import { createHint } from './hint.ts'
import type { ProofsDeps } from './proofs.ts'
import { tell } from './tell.ts'

const HOUR = 60 * 60_000
/** Whoever sends more that is no code gets no more answers: they may be a program too. */
const MOST_ANSWERS = 5
const MOST_PEOPLE = 1_000
/** Characters. */
const LONGEST = 100

/** Hears what the site account is told: codes and answers to questions; who writes anything else is told so once. */
export function createHearing(deps: ProofsDeps): (message: Message) => Promise<void> {
  const answered = new Map<BareJid, number[]>()
  const hint = createHint(deps)

  /** Only so often, whatever somebody sends. */
  async function answer(to: BareJid, body: string): Promise<void> {
    const now = deps.clock().getTime()
    const recent = (answered.get(to) ?? []).filter((at) => isWithinLast(HOUR, at, now))
    if (recent.length >= MOST_ANSWERS) return
    answered.delete(to)
    answered.set(to, [...recent, now])
    for (const [oldest] of answered) if (answered.size > MOST_PEOPLE) answered.delete(oldest)
    await tell(deps, to, body)
  }

  async function hearCode(from: BareJid, code: string): Promise<void> {
    const proof = await findProofByCode(deps.state, code)
    // Who was asked is the only one who can answer.
    const isTheirs = proof !== undefined && (proof.asked === undefined ? proof.jid === undefined : proof.asked === from)
    if (proof?.jid === from && (await isRemoved(deps, proof))) return answer(from, 'That comment was removed.')
    if (proof?.jid === from) return answer(from, 'This code has been used: your comment is on its way, or there.')
    if (!isTheirs) return answer(from, 'There is no comment with this code.')
    if (proof.status !== 'waiting' || proof.expiresAt <= deps.clock()) {
      return answer(from, 'This code is too old. The page where you wrote gives you a new one.')
    }
    await acceptProof(deps, proof.key, { jid: from, how: 'message' })
  }

  async function hearRemoval(from: BareJid, code: string): Promise<void> {
    const proof = await findProofByCode(deps.state, code)
    if (proof?.jid !== from || proof.status !== 'published') return answer(from, 'There is no comment with this code.')
    if (await isRemoved(deps, proof)) return answer(from, 'That comment was removed.')
    await removeProved(deps, proof)
    await answer(from, 'Your comment is removed.')
  }

  /** False where nothing was asked. */
  async function hearAnswer(message: Message, isYes: boolean): Promise<boolean> {
    const from = message.from.bare
    const waiting = await listWaitingFor(deps.state, from, deps.clock())
    if (waiting.length === 0) return false
    const named = waiting.filter((proof) => isAbout(message, proof))
    if (!isYes) {
      // Without a name it is about all of them: what was wanted can be sent again.
      for (const { key } of named.length > 0 ? named : waiting)
        await denyProof(deps, key, 'It was refused by the account that was asked.')
      await answer(from, 'Thank you: it is not published.')
      return true
    }
    const [only] = waiting.filter((proof) => mayBeAbout(message, proof))
    if (only !== undefined && (named.length > 0 || (await isOnlyQuestion(deps, from)))) {
      await acceptProof(deps, only.key, { jid: from, how: 'message' })
    } else await answer(from, 'Several comments wait or waited for you: answer with the code of the one you mean.')
    return true
  }

  return async (message) => {
    const from = message.from.bare
    if (from === deps.site.jid) return
    if (message.type === 'error') return hearError(deps, message)
    if (message.type !== 'chat' && message.type !== 'normal') return
    const confirmed = readConfirm(message)
    if (confirmed !== undefined) return hearConfirm(deps, message, confirmed)
    const body = (message.body ?? '').trim()
    // No answer is longer: what is, is not searched.
    if (body.length <= LONGEST) {
      const removed = readCode(/^(?:remove|delete)\s([^\n]*)$/i.exec(body)?.[1] ?? '')
      if (removed !== undefined) return hearRemoval(from, removed)
      const code = findCode(body)
      if (code !== undefined) return hearCode(from, code)
      const isYes = /^(?:yes|ja|oui|نعم)[.!]?$/iu.test(body)
      if ((isYes || /^(?:no|nein|non|لا)[.!]?$/iu.test(body)) && (await hearAnswer(message, isYes))) return
    }
    await hint(message)
  }
}

async function hearConfirm(deps: ProofsDeps, message: Message, code: string): Promise<void> {
  const from = message.from.bare
  const proof = await findAsked(deps, from, code)
  if (proof === undefined || !mayBeAbout(message, proof)) return
  await acceptProof(deps, proof.key, { jid: from, how: 'confirm' })
}

/** Whether a message names the question: by its thread (XEP-0070 §4.5), or as a reply to its message (XEP-0461). */
function isAbout(message: Message, proof: Proof): boolean {
  return message.thread === proof.key || readReply(message) === questionId(proof)
}

/** Whether a message names no other question and is no older than this one: it may have waited on a server. */
function mayBeAbout(message: Message, proof: Proof): boolean {
  const stamps = message.payloads.filter((payload) => payload.is('delay', NS.DELAY)).map(({ attrs }) => attrs.stamp)
  if (stamps.some((stamp) => !(Date.parse(stamp ?? '') >= proof.createdAt.getTime()))) return false
  const reply = readReply(message)
  if (reply !== undefined) return reply === questionId(proof)
  return message.thread === undefined || message.thread === proof.key
}

function readReply({ payloads }: Message): string | undefined {
  return payloads.find((payload) => payload.is('reply', NS.REPLY))?.attrs.id
}

/** Whether this is the only recent question to them: else a plain word may be about one that is over. */
async function isOnlyQuestion({ state, clock }: ProofsDeps, from: BareJid): Promise<boolean> {
  return (await countAsked(state, new Date(clock().getTime() - ONE_QUESTION_MS), from)) === 1
}

/** A refusal (XEP-0070 §4.5), or a server that has no such account. */
async function hearError(deps: ProofsDeps, message: Message): Promise<void> {
  const code = readConfirm(message) ?? readCode(message.id?.replace(/^proof-/, '') ?? '')
  const proof = code === undefined ? undefined : await findAsked(deps, message.from.bare, code)
  if (proof === undefined || (readConfirm(message) === undefined && message.id !== questionId(proof))) return
  const error = message.payloads.find((payload) => payload.getName() === 'error')
  const isRefusal = error === undefined || error.getChild('not-authorized', NS.STANZAS) !== undefined
  await denyProof(
    deps,
    proof.key,
    isRefusal ? 'It was refused by the account that was asked.' : `${message.from.bare} could not be reached.`,
  )
}

async function findAsked(deps: ProofsDeps, from: BareJid, code: string): Promise<Proof | undefined> {
  const proof = await findProofByCode(deps.state, code)
  return proof?.asked === from && proof.status === 'waiting' && proof.expiresAt > deps.clock() ? proof : undefined
}

function readConfirm({ payloads }: Message): string | undefined {
  const confirm = payloads.find((payload) => payload.is('confirm', NS.HTTP_AUTH))
  return confirm && readCode(confirm.attrs.id ?? '')
}
