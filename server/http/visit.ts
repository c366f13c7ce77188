import type { FastifyRequest } from 'fastify'
import type { Ending, Person } from '#server/people/people.ts'
import type { Web } from './web.ts'

/** Who asks for a page. */
export interface Visit {
  readonly person?: Person
  /** Why somebody who was signed in is not any more. */
  readonly ending?: Ending
}

export async function readVisit(
  { ctx, cookies }: Pick<Web, 'ctx' | 'cookies'>,
  request: FastifyRequest,
): Promise<Visit> {
  const cookie = cookies.readSession(request)
  if (cookie === undefined) return {}
  const person = await ctx.people.find(cookie)
  return person === undefined ? { ending: await ctx.people.findEnding(cookie) } : { person }
}

/** A path on this site to go on to, whatever was asked for. */
export function readNext(next: string | undefined, otherwise: string): string {
  if (next === undefined || !next.startsWith('/')) return otherwise
  // Backslashes and double slashes would lead to another host.
  const url = URL.parse(next, 'http://here.invalid')
  // `/.//host` is a path here, and the address of another host once its dot is gone.
  if (url?.origin !== 'http://here.invalid' || url.pathname.startsWith('//')) return otherwise
  return `${url.pathname}${url.search}${url.hash}`
}
