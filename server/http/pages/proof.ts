import type { FastifyReply } from 'fastify'
import { codeUri, proofPath } from '#server/feeds/proofs/addresses.ts'
import { sayCode } from '#server/feeds/proofs/code.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { Proof } from '#server/store/proof.ts'
import { renderMarkdown } from '#shared/markup.ts'
import { postPath, writeItemSegment } from '#shared/paths.ts'
import type { ProofView, VisitorFormView } from '#web/views.ts'
import type { AppContext } from '../context.ts'
import { LIVE } from '../routes/live.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { forPage, forPreview, MOST_COMMENT_PICTURES } from './post-view.ts'

/** How a comment stands, for who wrote it. `gone`: it was removed since. */
export type Standing = 'waiting' | 'expired' | 'denied' | 'refused' | 'proved' | 'held' | 'published' | 'gone'

const REFRESH_SECONDS = 10

export async function findStanding(
  { index, clock }: Pick<AppContext, 'index' | 'clock'>,
  proof: Proof,
): Promise<Standing> {
  if (proof.status === 'waiting') return proof.expiresAt > clock() ? 'waiting' : 'expired'
  if (proof.status !== 'published' || proof.commentItem === undefined) return proof.status
  const post = await findPost(index, proof.post)
  const comments = post === 'gone' ? undefined : post?.comments
  const node = comments && (await findNode(index, comments))
  const entry = node && (await findEntry(index, node.id, proof.commentItem))
  if (entry === undefined) return 'gone'
  if (entry.hold === null) return 'published'
  return entry.hold === 'held' ? 'held' : 'gone'
}

/** The page that shows the code, and then what became of it; with the text, so that it is not lost. */
export function sendProofPage(
  web: Web,
  exchange: Exchange,
  { proof, standing }: { proof: Proof; standing: Standing },
): Promise<FastifyReply> {
  const { ctx } = web
  const path = postPath({ domain: ctx.siteDomain }, proof.post)
  const isOpen = standing === 'waiting' || standing === 'proved'
  const code = sayCode(proof.code)
  const html = renderMarkdown(proof.text, { idPrefix: 'proof', isForeign: true, isComment: true })
  const view: Omit<ProofView, 'layout'> = {
    standing: standing === 'waiting' && proof.asked !== undefined ? 'asked' : standing,
    ...{ siteJid: ctx.proofs.siteJid, code, codeUri: codeUri(ctx.proofs.siteJid, code) },
    ...{ asked: proof.asked, jid: proof.jid, problem: proof.problem, expires: proof.expiresAt.toISOString() },
    html: forPage(forPreview(web), html, MOST_COMMENT_PICTURES),
    postUrl: path,
    ...(['expired', 'denied', 'refused'].includes(standing) ? { again: viewAgain(path, proof) } : {}),
    ...(isOpen ? { live: { url: `${proofPath(ctx, proof)}/${LIVE}`, version: standing } } : {}),
  }
  return sendPage(web, exchange, {
    name: 'proof',
    head: { title: 'Confirm your comment', noindex: true, ...(isOpen ? { refresh: REFRESH_SECONDS } : {}) },
    view,
  })
}

function viewAgain(path: string, { text, name, asked, reply }: Proof): ProofView['again'] {
  const fields = { text, name, ...(asked && { jid: asked }), ...(reply && { reply: writeItemSegment(reply) }) }
  return { action: `${path}/comments/proof`, fields: { key: createFormKey(), ...fields } }
}

export interface VisitorWords {
  readonly path: string
  readonly typed?: string
  readonly problem?: string
  /** With what is wrong with the address. */
  readonly visitor?: { readonly name: string; readonly jid: string; readonly problem?: string }
  readonly replyTo?: VisitorFormView['replyTo']
}

/** The form for who is not signed in; undefined while nothing could be proved. */
export function viewVisitorForm({ ctx }: Web, words: VisitorWords): VisitorFormView | undefined {
  if (!ctx.proofs.isPossible() && words.typed === undefined) return undefined
  const { path, typed, problem, visitor, replyTo } = words
  return {
    ...{ action: `${path}/comments/proof`, key: createFormKey(), text: typed, problem, replyTo },
    ...{ name: visitor?.name, jid: visitor?.jid, jidProblem: visitor?.problem },
  }
}
