import type { FastifyReply } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Visit } from './visit.ts'
import type { Web } from './web.ts'

/** Whose form came in, and whether they are still here. */
export type FormSender =
  | { readonly kind: 'own'; readonly person: Person }
  /** The session ended while the form was open. */
  | { readonly kind: 'ended'; readonly owner: BareJid }
  /** They are signed in again, but the form is of a session that has ended. */
  | { readonly kind: 'earlier'; readonly owner: BareJid }
  /** Somebody else is signed in now. */
  | { readonly kind: 'other'; readonly owner: BareJid }
  /** None of our forms, or an old one. */
  | { readonly kind: 'unknown' }

export function readFormSender(
  { tokens }: Pick<Web, 'tokens'>,
  { person }: Visit,
  token: string | undefined,
): FormSender {
  const owner = tokens.readOwner(token ?? '')
  if (owner === undefined) return { kind: 'unknown' }
  if (person === undefined) return { kind: 'ended', owner: owner.jid }
  if (person.jid !== owner.jid) return { kind: 'other', owner: owner.jid }
  return person.session === owner.session ? { kind: 'own', person } : { kind: 'earlier', owner: owner.jid }
}

export type FormNotice = 'ended' | 'kept' | 'comment-kept'

/** To the sign-in page, and from there on to `next`; `notice` says why. */
export function sendToSignIn(
  reply: FastifyReply,
  { next, notice }: { next: string; notice?: FormNotice },
): FastifyReply {
  const query = new URLSearchParams({ next, ...(notice === undefined ? {} : { notice }) })
  return reply.redirect(`/signin?${query}`, 303)
}

/** Who sent this form; forbidden for a form that is not theirs. Undefined where they have to sign in again first. */
export function requireSender(web: Pick<Web, 'tokens'>, visit: Visit, token: string | undefined): Person | undefined {
  const sender = readFormSender(web, visit, token)
  if (sender.kind === 'own') return sender.person
  if (sender.kind === 'ended') return undefined
  throw new AppError(
    'forbidden',
    'This form is too old, or was made for somebody else. Go back, load the page anew and try again.',
  )
}
