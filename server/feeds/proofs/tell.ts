import { describeError } from '#server/errors.ts'
import type { BareJid } from '#shared/jid.ts'
import type { ProofsDeps } from './proofs.ts'

/** An answer of the site account; where it cannot be sent, the page says the same. */
export async function tell({ site, log }: Pick<ProofsDeps, 'site' | 'log'>, to: BareJid, body: string): Promise<void> {
  try {
    await site.sendMessage({ to, type: 'chat', body })
  } catch (error) {
    log.warn(`An answer to ${to} could not be sent: ${describeError(error)}`)
  }
}
