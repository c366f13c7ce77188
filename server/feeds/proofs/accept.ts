import { AppError } from '#server/errors.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findPersonName } from '#server/store/person.ts'
import { findPost } from '#server/store/post.ts'
import { findProof, moveProof, type Proof } from '#server/store/proof.ts'
import type { ProofHow } from '#shared/contributor.ts'
import type { BareJid } from '#shared/jid.ts'
import { queueComment, queueRemoveComment } from '../queue.ts'
import { commentPath, proofTopic } from './addresses.ts'
import { requireWelcome } from './ask.ts'
import { sayCode } from './code.ts'
import type { ProofsDeps } from './proofs.ts'
import { tell } from './tell.ts'

/** `jid` has proved that they want this comment; once. */
export async function acceptProof(
  deps: ProofsDeps,
  key: string,
  { jid, how }: { jid: BareJid; how: ProofHow },
): Promise<void> {
  const proved = await moveProof(deps.state, key, { from: 'waiting', status: 'proved', jid, how })
  if (proved === undefined) return
  announce(deps, key)
  await publishProved(deps, proved)
}

/** Leaves a comment that was proved to the outbox of the site account; again does no harm. */
export async function publishProved(deps: ProofsDeps, proof: Proof): Promise<void> {
  const { key, post, text, jid, how } = proof
  if (jid === undefined) return
  try {
    const found = await findPost(deps.index, post)
    const comments = found === 'gone' ? undefined : found?.comments
    if (comments !== undefined) await requireWelcome(deps, comments, jid)
    const name = proof.name || (await findPersonName(deps.index, jid))
    const inReplyTo = comments && proof.reply && { ...comments, item: proof.reply }
    const row = await queueComment(deps, {
      ...{ author: deps.site.jid, key, post, text, inReplyTo },
      contributor: { jid, how, ...(name !== undefined && { name }) },
    })
    await settleProof(deps, row)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    await refuse(deps, proof, error.message)
  }
}

/** What has become of a comment: told to who wrote it, once. */
export async function settleProof(deps: ProofsDeps, row: OutboxRow): Promise<void> {
  if (row.kind !== 'comment' || row.account !== deps.site.jid || row.status === 'waiting') return
  const proof = await findProof(deps.state, row.formKey.replace(/^comment:/, ''))
  if (proof?.status !== 'proved' || proof.jid === undefined) return
  if (row.status === 'refused') return refuse(deps, proof, row.problem ?? 'The blog did not take it')
  const { item } = row.address
  if (
    (await moveProof(deps.state, proof.key, { from: 'proved', status: 'published', commentItem: item })) === undefined
  )
    return
  announce(deps, proof.key)
  const words = await sayStanding(deps, proof, row)
  await tell(deps, proof.jid, `${words}\nTo take it back, answer: remove ${sayCode(proof.code)}`)
}

async function sayStanding(deps: ProofsDeps, proof: Proof, { address }: OutboxRow): Promise<string> {
  const node = await findNode(deps.index, address)
  const entry = node && (await findEntry(deps.index, node.id, address.item))
  if (entry?.hold === 'held') return 'Your comment waits until the author of the blog approves it.'
  if (entry !== undefined && entry.hold !== null) return 'Your comment is not shown here.'
  return `Your comment is published: ${new URL(commentPath(deps, proof, address.item), deps.config.url).href}`
}

/** Takes a published comment back, at the word of who wrote it. */
export async function removeProved(deps: ProofsDeps, proof: Proof): Promise<void> {
  const { key, post, commentItem } = proof
  const found = await findPost(deps.index, post)
  if (found === undefined || found === 'gone' || found.comments === undefined || commentItem === undefined) return
  await queueRemoveComment(deps, { by: deps.site.jid, address: { ...found.comments, item: commentItem } })
  await moveProof(deps.state, key, { from: 'published', status: 'published', problem: 'It was taken back.' })
}

/** Whether a published comment was taken back by its writer, or removed by the blog or the site. */
export async function isRemoved(deps: ProofsDeps, { post, commentItem, status, problem }: Proof): Promise<boolean> {
  if (status !== 'published' || commentItem === undefined) return false
  if (problem !== undefined) return true
  const found = await findPost(deps.index, post)
  const comments = found === 'gone' ? undefined : found?.comments
  const node = comments && (await findNode(deps.index, comments))
  const entry = node && (await findEntry(deps.index, node.id, commentItem))
  return node !== undefined && (entry === undefined || entry.hold === 'removed')
}

/** Says no to what waits. */
export async function denyProof(deps: ProofsDeps, key: string, problem: string): Promise<void> {
  await moveProof(deps.state, key, { from: 'waiting', status: 'denied', problem })
  announce(deps, key)
}

async function refuse(deps: ProofsDeps, proof: Proof, problem: string): Promise<void> {
  const refused = await moveProof(deps.state, proof.key, { from: 'proved', status: 'refused', problem })
  if (refused === undefined) return
  announce(deps, proof.key)
  if (proof.jid !== undefined)
    await tell(deps, proof.jid, `Your comment was not published. ${problem.replace(/\.$/, '')}.`)
}

function announce({ live }: ProofsDeps, key: string): void {
  live.publish(proofTopic(key), { kind: 'changed' })
}
