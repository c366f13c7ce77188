import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { listUnseenClaims, saveSeen, type UnseenClaim } from '#server/store/community.ts'
import type { SessionStatus } from '#server/xmpp/ports.ts'
import { domainOf } from '#shared/jid.ts'
import { type BeliefDeps, isSeenOwner } from './belief.ts'
import { judgeAgain, type RejudgeDeps } from './moderation/judge-again.ts'
import { waitAtMost } from './patience.ts'

export interface UnseenClaimsDeps extends BeliefDeps, RejudgeDeps {
  readonly log: Logger
  readonly site: {
    readonly status: SessionStatus
    onStatus(listener: (status: SessionStatus) => void): () => void
  }
}

export interface UnseenClaims {
  start(): void
  stop(): Promise<void>
  /** Looks at all of them now. */
  look(): Promise<void>
}

const HOUR = 3_600_000
const STOP = 1_000

/**
 * Looks, whenever the site account comes online, at the communities and blocks that were remembered by a session's word
 * alone: they count again once the site sees that whoever made them owns the node.
 */
export function createUnseenClaims(deps: UnseenClaimsDeps): UnseenClaims {
  const stops: (() => void)[] = []
  let running: Promise<void> | undefined

  async function look(): Promise<void> {
    const claims = await listUnseenClaims(deps.state)
    const services = Map.groupBy(claims, ({ address }) => domainOf(address.service))
    await Promise.all([...services.values()].map(lookAtService))
  }

  /** One after the other; a service that does not answer is left alone until the next time. */
  async function lookAtService(claims: readonly UnseenClaim[]): Promise<void> {
    for (const claim of claims) if ((await lookAt(claim)) === 'unanswered') return
  }

  async function lookAt(claim: UnseenClaim): Promise<'looked' | 'unanswered'> {
    try {
      if (await isSeenOwner(deps, claim.owner, claim.address)) await saveSeen(deps.state, claim)
      // Comments hidden by an unfounded block show again.
      else if (claim.blocked !== undefined) await judgeAgain(deps, { jid: claim.blocked })
      return 'looked'
    } catch (error) {
      // Its service does not answer: that says nothing, and it is asked again.
      if (!isAppError(error)) throw error
      deps.log.debug(`Who owns ${claim.address.node} at ${claim.address.service} was not seen: ${error.message}`)
      return isAppError(error, 'unavailable', 'timeout') ? 'unanswered' : 'looked'
    }
  }

  function wake(): void {
    if (deps.site.status !== 'online') return
    running ??= look()
      .catch((error: unknown) => deps.log.error(`Remembered owners could not be looked at: ${describeError(error)}`))
      .finally(() => {
        running = undefined
      })
  }

  return {
    look,
    start() {
      const timer = setInterval(wake, HOUR)
      stops.push(deps.site.onStatus(wake), () => clearInterval(timer))
      wake()
    },
    async stop() {
      for (const stop of stops.splice(0)) stop()
      await waitAtMost(running ?? Promise.resolve(), STOP)
    },
  }
}
