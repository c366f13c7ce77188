import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import type { BareJid } from '#shared/jid.ts'
import type { DiscoverDeps } from './discover.ts'
import { requireSender, sendToSignIn } from './form-guard.ts'
import { isPublicAddress } from './picture/public-address.ts'
import { explainReach } from './reach.ts'
import { readVisit, type Visit } from './visit.ts'
import type { Web } from './web.ts'

export const FOLLOWING = '/following'

export interface FollowFields {
  readonly token?: string
  readonly address?: string
  readonly title?: string
  readonly feed?: string
  readonly next?: string
  readonly public?: string
}

export type FollowForm = FastifyRequest<{ Body: FollowFields }>

/** A form about what is followed, of a person who is signed in. */
export interface SentFollow {
  readonly request: FollowForm
  readonly reply: FastifyReply
  readonly visit: Visit
  readonly person: Person
}

const text = { type: 'string', maxLength: 16_384 } as const
const properties = { token: text, address: text, title: text, feed: text, next: text, public: text }
export const FOLLOW_SCHEMA = { body: { type: 'object', properties } } as const

/** Answers the forms of whoever is signed in; sends others to where they sign in. */
export function onFollowForm(web: Web, answer: (sent: SentFollow) => Promise<FastifyReply>) {
  return async (request: FollowForm, reply: FastifyReply): Promise<FastifyReply> => {
    const visit = await readVisit(web, request)
    const person = requireSender(web, visit, request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: FOLLOWING, notice: 'ended' })
    return answer({ request, reply, visit, person })
  }
}

export function discoveryOf({ ctx }: Web): DiscoverDeps {
  return {
    site: { url: ctx.config.url, domain: ctx.siteDomain },
    isAllowed: ctx.isPublicAddress ?? isPublicAddress,
    explainReach: (jid) => explainReach(ctx.config, jid),
  }
}

const MOST_AT_ONCE = 3

/** Of one person, no more than a few looks at other servers at once: we are not to be a tool against them. */
export function createLooks(): <T>(jid: BareJid, work: () => Promise<T>) => Promise<T> {
  const underWay = new Map<BareJid, number>()
  return async (jid, work) => {
    const count = underWay.get(jid) ?? 0
    if (count >= MOST_AT_ONCE) {
      throw new AppError('too-many', 'The last addresses are still looked at. Try again in a moment.')
    }
    underWay.set(jid, count + 1)
    try {
      return await work()
    } finally {
      const left = (underWay.get(jid) ?? 1) - 1
      if (left > 0) underWay.set(jid, left)
      else underWay.delete(jid)
    }
  }
}
