import type { FastifyInstance } from 'fastify'
import { isAppError } from '#server/errors.ts'
import { findConsentQuestion } from '#server/feeds/authors.ts'
import { listFollows } from '#server/store/follow.ts'
import type { FormNotice } from '../form-guard.ts'
import { requireSender } from '../form-guard.ts'
import { sendSignInPage } from '../pages/sign-in.ts'
import { readNext, readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface SignInFields {
  readonly token?: string
  readonly jid?: string
  readonly password?: string
  readonly next?: string
}

const text = { type: 'string', maxLength: 4_096 } as const
const bodySchema = { type: 'object', properties: { token: text, jid: text, password: text, next: text } } as const

/** Signing in and out. */
export function addSession(app: FastifyInstance, web: Web): void {
  const { ctx, cookies, tokens } = web

  app.get<{ Querystring: { next?: string; notice?: FormNotice } }>('/signin', async (request, reply) => {
    const visit = await readVisit(web, request)
    const next = readNext(request.query.next, '/')
    if (visit.person !== undefined) return reply.redirect(next, 303)
    // The reason has been read: from now on this browser is a stranger's.
    if (visit.ending !== undefined) cookies.clearSession(reply)
    return sendSignInPage(
      web,
      { request, reply, visit },
      { next, notice: request.query.notice, jid: visit.ending?.jid },
    )
  })

  app.post<{ Body: SignInFields }>('/signin', { schema: { body: bodySchema } }, async (request, reply) => {
    const { jid = '', password = '', token = '' } = request.body
    const visit = await readVisit(web, request)
    const next = readNext(request.body.next, '/')
    const fail = (status: number, problem: string) =>
      sendSignInPage(web, { request, reply, visit: { ...visit, person: undefined } }, { next, jid, status, problem })
    if (!tokens.isOfBrowser(token, cookies.readBrowser(request))) {
      return fail(403, 'Your browser did not send our cookie back. Allow cookies for this site and try again.')
    }
    try {
      const oldCookie = cookies.readSession(request)
      const knownBrowser = cookies.readKnown(request)
      const signedIn = await ctx.people.signIn({ jid, password, address: request.ip, oldCookie, knownBrowser })
      cookies.writeSession(reply, signedIn.cookie)
      cookies.writeKnown(reply, signedIn.knownBrowser)
      const question = await findConsentQuestion(ctx, signedIn.jid)
      if (question !== undefined) return reply.redirect(`/consent?${new URLSearchParams({ next })}`, 303)
      const isReader = next === '/' && (await listFollows(ctx.state, signedIn.jid)).length > 0
      return reply.redirect(isReader ? '/home' : next, 303)
    } catch (error) {
      if (!isAppError(error)) throw error
      if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
      return fail(error.statusCode, error.message)
    }
  })

  app.post<{ Body: { token?: string } }>('/signout', async (request, reply) => {
    const visit = await readVisit(web, request)
    const cookie = cookies.readSession(request)
    if (requireSender(web, visit, request.body?.token) !== undefined && cookie !== undefined) {
      await ctx.people.signOut(cookie)
    }
    cookies.clearSession(reply)
    // Pages that the browser would show again by its back button, with what was typed in them.
    reply.header('clear-site-data', '"cache"')
    return reply.redirect('/', 303)
  })
}
