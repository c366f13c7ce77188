import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { forgetClaim, listUnseenClaims, saveSeen, type UnseenClaim } from '#server/store/community.ts'
import type { SessionStatus } from '#server/xmpp/ports.ts'
import { domainOf, localPart } from '#shared/jid.ts'
import { type BeliefDeps, isOwnGround } from './belief.ts'
import { judgeAgain, type RejudgeDeps } from './moderation/judge-again.ts'
import { askNodeInfo } from './node-info.ts'
import { waitAtMost } from './patience.ts'
import { requireSite } from './site-session.ts'

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
 * Looks, whenever the site account comes online and every hour, at the communities and blocks that are remembered of
 * somebody whom the site does not see to own the node, or sees to own it no more: they count again once it sees that, and are
 * forgotten once the node's service still names others.
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
      const seen = await see(claim)
      if (seen === 'owner') await saveSeen(deps.state, claim)
      if (seen === 'others') await forgetClaim(deps.state, claim)
      // Comments hidden by an unfounded block show again.
      if (seen !== 'owner' && claim.blocked !== undefined) await judgeAgain(deps, { jid: claim.blocked })
      return 'looked'
    } catch (error) {
      // Its service does not answer: that says nothing, and it is asked again.
      if (!isAppError(error)) throw error
      deps.log.debug(`Who owns ${claim.address.node} at ${claim.address.service} was not seen: ${error.message}`)
      return isAppError(error, 'unavailable', 'timeout') ? 'unanswered' : 'looked'
    }
  }

  /** On the account's own ground its session was believed: unless the node names others now. */
  async function see({ address, owner }: UnseenClaim): Promise<'owner' | 'others' | 'nobody'> {
    if (localPart(address.service) !== undefined) return address.service === owner ? 'owner' : 'others'
    const owners = (await askNodeInfo(requireSite(deps).disco, address))?.owners ?? []
    if (owners.length > 0) return owners.includes(owner) ? 'owner' : 'others'
    return (await isOwnGround(deps, owner, address.service)) ? 'owner' : 'nobody'
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
