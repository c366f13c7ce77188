import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { dropDraft, keepDraft } from '#server/people/drafts.ts'
import type { StateDb } from '#server/store/database.ts'
import type { Draft } from '#server/store/draft.ts'
import { findDraft } from '#server/store/draft.ts'
import { readItemSegment } from '#shared/paths.ts'
import { readNodeUri } from '../community-paths.ts'
import { readFormSender, requireSender, sendToSignIn } from '../form-guard.ts'
import { sendDraftsPage } from '../pages/drafts.ts'
import { blogAddress } from '../places.ts'
import { listSentDrafts, wasSent } from '../sent-drafts.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'
import type { WriteFields } from '../write-form.ts'
import { readWriteForm, writeFieldsSchema } from '../write-form.ts'

const BODY_BYTES = 8 * 1024 * 1024

/** The list of drafts, and the script that saves them. */
export function addDrafts(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const options = { bodyLimit: BODY_BYTES, schema: { body: writeFieldsSchema } }

  app.get('/drafts', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: '/drafts' })
    return sendDraftsPage(web, { request, reply, visit }, await listSentDrafts(ctx.state, visit.person.jid))
  })

  /** For the script of the write form: JSON answers; `edits` is the segment of the post's item id, `of` the node where it is no own blog, `kept` when a browser kept it. */
  app.post<{ Params: { key: string }; Body: WriteFields; Querystring: { edits?: string; of?: string; kept?: string } }>(
    '/drafts/:key',
    options,
    async (request, reply) => {
      const visit = await readVisit(web, request)
      const sender = readFormSender(web, visit, request.body.token)
      if (sender.kind === 'unknown') throw new AppError('forbidden', 'This form is too old. Load the page anew.')
      const jid = sender.kind === 'own' ? sender.person.jid : sender.owner
      const item = request.query.edits === undefined ? undefined : readItemSegment(request.query.edits)
      const edits = item === undefined ? undefined : { ...(readNodeUri(request.query.of) ?? blogAddress(jid)), item }
      const now = ctx.clock()
      const draft = readWriteForm({ ...request.body, key: request.params.key }, { jid, edits, now })
      // The script's last word may arrive after the form itself: what is published is no draft any more.
      const isSent = await wasSent(ctx.state, draft)
      const isOld = await hasNewer(ctx.state, draft, request.query.kept)
      if (!isSent && !isOld) await keepDraft(ctx, draft)
      return reply.send({ saved: now.toISOString(), isSignedIn: sender.kind === 'own', isSent, isOld })
    },
  )

  app.post<{ Params: { key: string }; Body: { token?: string } }>('/drafts/:key/delete', async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/drafts', notice: 'ended' })
    await dropDraft(ctx.state, person.jid, request.params.key)
    return reply.redirect('/drafts', 303)
  })
}

/** Whether the draft was saved from elsewhere since a browser kept this. */
async function hasNewer(state: StateDb, { jid, id }: Draft, kept: string | undefined): Promise<boolean> {
  if (kept === undefined) return false
  const known = await findDraft(state, jid, id)
  return known !== undefined && known.updatedAt.getTime() > Date.parse(kept)
}
