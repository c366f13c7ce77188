import { describeError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { deleteProofsBefore, findProof, listProofs, type Proof } from '#server/store/proof.ts'
import type { Message, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Live } from '../live.ts'
import type { Outbox } from '../outbox.ts'
import type { QueueDeps } from '../outbox-deps.ts'
import { publishProved, settleProof } from './accept.ts'
import { proofPath, proofTopic } from './addresses.ts'
import { type Asking, askForProof } from './ask.ts'
import { createHearing } from './hear.ts'

export interface ProofsParts extends Omit<QueueDeps, 'outbox'> {
  readonly site: Pick<XmppSession, 'jid' | 'status' | 'onMessage' | 'sendMessage'>
  readonly outbox: Pick<Outbox, 'wake' | 'onChange'>
  readonly live: Live
  readonly log: Logger
}

export interface ProofsDeps extends ProofsParts {
  /** The page that tells how a comment stands. */
  readonly urlOf: (proof: Proof) => string
}

/** Comments of people who are not signed in: kept until it is proved whose they are, then published by the site account. */
export interface Proofs {
  /** Whom the code is sent to. */
  readonly siteJid: BareJid
  /** Whether anything can be proved now. */
  readonly isPossible: () => boolean
  /** Rejects with a sentence for who wrote it. */
  ask(asking: Asking): Promise<Proof>
  find(key: string): Promise<Proof | undefined>
  start(): Promise<void>
  stop(): Promise<void>
}

const SWEEP = 10_000
const DAY = 24 * 3_600_000
/** So long somebody can take back a comment by its code. */
const KEPT_DAYS = 30
/** More than this unheard is a flood. */
const MOST_UNHEARD = 1_000

export function createProofs(parts: ProofsParts): Proofs {
  const deps: ProofsDeps = { ...parts, urlOf: (proof) => new URL(proofPath(parts, proof), parts.config.url).href }
  const hear = createHearing(deps)
  const stops: (() => void)[] = []
  let turn: Promise<void> = Promise.resolve()
  let unheard = 0
  let sweptAt = deps.clock()

  /** One after the other: two messages with one code are one comment. */
  function take(work: () => Promise<void>): void {
    if (unheard >= MOST_UNHEARD) return
    unheard += 1
    turn = turn.then(work).catch((error: unknown) => deps.log.error(`A proof failed: ${describeError(error)}`))
    void turn.finally(() => {
      unheard -= 1
    })
  }

  /** Tells open pages of codes that hold no longer, and forgets the old ones. */
  async function sweep(): Promise<void> {
    const now = deps.clock()
    for (const { key, expiresAt } of await listProofs(deps.state, 'waiting')) {
      if (expiresAt > sweptAt && expiresAt <= now) deps.live.publish(proofTopic(key), { kind: 'changed' })
    }
    sweptAt = now
    const ago = (days: number) => new Date(now.getTime() - days * DAY)
    await deleteProofsBefore(deps.state, { unpublished: ago(1), all: ago(KEPT_DAYS) })
  }

  // At once: what came while we were away comes with the first presence.
  stops.push(deps.site.onMessage((message: Message) => take(() => hear(message))))
  return {
    siteJid: deps.site.jid,
    isPossible: () => deps.site.status === 'online',
    ask: (asking) => askForProof(deps, asking),
    find: (key) => findProof(deps.state, key),
    async start() {
      stops.push(deps.outbox.onChange((row) => take(() => settleProof(deps, row))))
      const sweeping = setInterval(() => take(sweep), SWEEP)
      stops.push(() => clearInterval(sweeping))
      // What was proved before a crash.
      for (const proof of await listProofs(deps.state, 'proved')) take(() => publishProved(deps, proof))
    },
    async stop() {
      for (const stop of stops.splice(0)) stop()
      await turn
    },
  }
}
