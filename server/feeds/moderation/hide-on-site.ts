import { AppError } from '#server/errors.ts'
import { findDecision, saveDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { applyHold, writtenBy } from './decide.ts'
import { holdOf } from './judge.ts'
import { type OperatorDeps, requireOperator } from './site-blocks.ts'

export interface Hiding {
  readonly by: BareJid
  readonly address: ItemAddress
  readonly post: ItemAddress
}

/** Takes a post or a comment out of the site's pages: on its node it stays, for that is its owner's to say. */
export async function hideOnSite(deps: OperatorDeps, { by, address, post }: Hiding): Promise<void> {
  requireOperator(deps, by)
  const entry = await findJudged(deps.index, address)
  if (entry === undefined) throw new AppError('not-found', 'This is not there any more.')
  const decision = await findDecision(deps.state, address)
  if (decision?.what === 'removed') return
  const before = decision?.what
  await saveDecision(deps.state, {
    ...{ ...writtenBy(entry), ...decision, address, post, what: 'removed', before, by, at: deps.clock() },
    payload: undefined,
  })
  await applyHold(deps, entry, { hold: 'removed' })
}

/** What an operator took out of the pages is shown there again. */
export async function showOnSite(deps: OperatorDeps, { by, address, post }: Hiding): Promise<void> {
  requireOperator(deps, by)
  const decision = await findDecision(deps.state, address)
  if (decision?.what !== 'removed' || decision.payload !== undefined) return
  const what = decision.before ?? 'approved'
  await saveDecision(deps.state, { ...decision, post, what, before: undefined, by, at: deps.clock() })
  const entry = await findJudged(deps.index, address)
  if (entry !== undefined) await applyHold(deps, entry, { hold: holdOf({ what, reason: decision.reason }) })
}
