import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { answerConsent, prepareBlog } from '#server/feeds/authors.ts'
import { queueSettings } from '#server/feeds/queue.ts'
import { type Author, findAuthor } from '#server/store/author.ts'
import type { BareJid } from '#shared/jid.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { digestPosts, sendConsentPage } from '../pages/consent.ts'
import { sendSettingsPage } from '../pages/settings.ts'
import { settle } from '../publish.ts'
import { readNext, readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface ConsentQuery {
  readonly next?: string
  readonly answer?: string
  readonly changed?: string
}

interface ConsentFields {
  readonly token?: string
  readonly answer?: string
  readonly next?: string
  readonly listed?: string
}

interface SettingsFields {
  readonly token?: string
  readonly title?: string
  readonly description?: string
  readonly name?: string
  readonly language?: string
}

const text = { type: 'string' } as const
const line = { type: 'string', maxLength: 200 } as const
const properties = {
  token: text,
  title: line,
  name: line,
  description: { type: 'string', maxLength: 2_000 },
  language: line,
}
const schema = { body: { type: 'object', properties } } as const

/** My name, my blog's title, and whether a blog that was there before may be opened. */
export function addSettings(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.get<{ Querystring: { saved?: string } }>('/settings', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: '/settings' })
    return sendSettingsPage(web, { request, reply, visit }, { saved: readSaved(request.query.saved) })
  })

  app.post<{ Body: SettingsFields }>('/settings', { schema }, async (request, reply) => {
    const visit = await readVisit(web, request)
    const person = requireSender(web, visit, request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/settings', notice: 'ended' })
    const { title = '', description = '', name = '', language = '' } = request.body
    const clean = { title: title.trim(), description: description.trim(), name: name.trim(), language: language.trim() }
    if (clean.language !== '' && !isLanguage(clean.language)) {
      const problem = 'That is not a language. Write a code such as en, de or pt-BR.'
      return sendSettingsPage(web, { request, reply, visit }, { fields: clean, problem, status: 400 })
    }
    try {
      const row = await settle(ctx, await queueSettings(ctx, { author: person.jid, ...clean }))
      if (row.status === 'done') return reply.redirect('/settings?saved=1', 303)
      return await sendSettingsPage(web, { request, reply, visit }, { fields: clean, row })
    } catch (error) {
      if (!isAppError(error, 'too-many', 'too-large')) throw error
      const { message: problem, statusCode: status } = error
      return sendSettingsPage(web, { request, reply, visit }, { fields: clean, problem, status })
    }
  })

  app.get<{ Querystring: ConsentQuery }>('/consent', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: '/consent' })
    const { next: wanted, answer, changed } = request.query
    const next = readNext(wanted, '/write')
    const author = await askAgain(web, visit.person.jid)
    if (author?.consent !== 'asked' && author?.consent !== 'refused') return reply.redirect(next, 303)
    const question = { posts: author.consentPosts, next, isNo: answer === 'no', isChanged: changed !== undefined }
    return sendConsentPage(web, { request, reply, visit }, question)
  })

  app.post<{ Body: ConsentFields }>('/consent', async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/consent', notice: 'ended' })
    const { answer, next, listed } = request.body
    if (answer !== 'yes' && answer !== 'no') throw new AppError('bad-request', 'Answer yes or no.')
    const author = await findAuthor(ctx.state, person.jid)
    const isAsked = author?.consent === 'asked' || author?.consent === 'refused'
    const isOfThese = answer === 'no' || (isAsked && listed === digestPosts(author.consentPosts))
    const outcome = isOfThese ? await answerConsent(ctx, person.jid, answer === 'yes') : undefined
    if (isAsked && answer === 'yes' && (outcome === undefined || outcome.kind === 'needs-consent')) {
      return reply.redirect(`/consent?${new URLSearchParams({ changed: '', next: readNext(next, '/write') })}`, 303)
    }
    return reply.redirect(readNext(next, '/'), 303)
  })
}

/** The author as the node is now, or as it was last seen where the own server does not answer. */
async function askAgain({ ctx }: Web, jid: BareJid): Promise<Author | undefined> {
  const author = await findAuthor(ctx.state, jid)
  if (author?.consent !== 'asked' && author?.consent !== 'refused') return author
  try {
    await prepareBlog(ctx, jid)
  } catch (error) {
    if (!isAppError(error)) throw error
  }
  return findAuthor(ctx.state, jid)
}

function isLanguage(code: string): boolean {
  try {
    return Intl.getCanonicalLocales(code).length === 1
  } catch {
    return false
  }
}

function readSaved(saved: string | undefined): 'messages' | 'names' | undefined {
  return saved === undefined ? undefined : saved === 'messages' ? 'messages' : 'names'
}
