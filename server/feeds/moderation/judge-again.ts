import { createSlices } from '#server/slices.ts'
import { findDecision } from '#server/store/decision.ts'
import type { Hold } from '#server/store/index-schema.ts'
import { type JudgedEntry, listJudgedOf, listJudgedOn } from '#server/store/judged-entry.ts'
import { findNode } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { announceChanged } from '../announce.ts'
import { applyHold, type DecideDeps, writtenBy } from './decide.ts'
import { findBlocker, holdOf, isBlockedOnSite } from './judge.ts'
import { listPostsAbove } from './moderated-feed.ts'

export type RejudgeDeps = DecideDeps

/** After a block came or went: all that an account or a server wrote, or that is on a node, is shown or not by it. */
export async function judgeAgain(deps: RejudgeDeps, what: { jid: BareJid } | { node: NodeAddress }): Promise<void> {
  const pause = createSlices()
  const parts = 'jid' in what ? listJudgedOf(deps.index, what.jid) : listJudgedOn(deps.index, what.node)
  for await (const entries of parts) {
    for (const entry of entries) {
      await applyHold(deps, entry, { hold: await holdNow(deps, entry) })
      await pause()
    }
  }
  const node = 'node' in what ? await findNode(deps.index, what.node) : undefined
  if (node !== undefined) await announceChanged(deps, node)
}

async function holdNow(deps: RejudgeDeps, entry: JudgedEntry): Promise<Hold | null> {
  const who = writtenBy(entry).author
  const { address, via } = entry
  if (await isBlockedOnSite(deps, { address, who, via })) return 'blocked'
  const posts = entry.isPost ? [] : await listPostsAbove(deps, entry, entry.root)
  if (who !== undefined && (await findBlocker(deps, posts, who)) !== undefined) return 'blocked'
  const decision = await findDecision(deps.state, address)
  return decision === undefined ? null : holdOf(decision)
}
