import type { BareJid } from '#shared/jid.ts'
import { type FoundServices, findServices } from './disco.ts'
import type { Disco, Services } from './ports.ts'

/** What the account's server offers, asked when it is first needed and kept over reconnections. */
export interface KnownServices {
  read(): Promise<Services>
  /** Tells which features the server announces on a new stream (XEP-0115, `ver`); undefined where it tells none. */
  onConnected(caps: string | undefined): void
}

/** Caps say nothing of the server's items, and some servers have none: so the answer is not kept for ever. */
const KEPT = 24 * 60 * 60 * 1000

interface Kept {
  readonly answer: Promise<Services>
  readonly caps: string | undefined
  readonly since: number
  isWhole: boolean
}

export function createServices(jid: BareJid, disco: Disco, now = () => performance.now()): KnownServices {
  let caps: string | undefined
  let kept: Kept | undefined

  function ask(): Promise<Services> {
    const asked: Promise<FoundServices> = findServices(jid, disco)
    const mine: Kept = { answer: asked.then(({ services }) => services), caps, since: now(), isWhole: true }
    asked.then(
      ({ isWhole }) => {
        mine.isWhole = isWhole
      },
      () => {
        if (kept === mine) kept = undefined
      },
    )
    kept = mine
    return mine.answer
  }

  return {
    read() {
      return kept !== undefined && now() - kept.since < KEPT ? kept.answer : ask()
    },
    onConnected(announced) {
      caps = announced
      // A service that did not answer then may do so now.
      if (kept !== undefined && (kept.caps !== caps || !kept.isWhole)) kept = undefined
    },
  }
}
