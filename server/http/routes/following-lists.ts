import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { addVary, sendBody } from '../encoding.ts'
import { createLooks, discoveryOf, FOLLOW_SCHEMA, FOLLOWING, type FollowFields, onFollowForm } from '../follow-form.ts'
import { sendToSignIn } from '../form-guard.ts'
import { importOpml } from '../import-opml.ts'
import { createFormReader, findSentFile } from '../multipart.ts'
import { writeFollowsOpml } from '../opml.ts'
import { sendFollowingPage } from '../pages/following.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const OPML_BYTES = 1024 * 1024

/** What I follow as a list for other programs, in and out. */
export function addFollowingLists(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const look = createLooks()

  app.get(`${FOLLOWING}/opml.xml`, async (request, reply) => {
    const { person } = await readVisit(web, request)
    if (person === undefined) return sendToSignIn(reply, { next: `${FOLLOWING}/opml.xml` })
    const bytes = await writeFollowsOpml(ctx, person, await requireFeedSecret(ctx, person.jid))
    reply.header('content-disposition', 'attachment; filename="following.opml"').header('cache-control', 'no-store')
    addVary(reply, 'Cookie')
    return sendBody(request, reply, { type: 'text/x-opml; charset=utf-8', bytes })
  })

  app.post<{ Body: FollowFields }>(
    `${FOLLOWING}/import`,
    { config: { fileBytes: OPML_BYTES }, preValidation: createFormReader(web), schema: FOLLOW_SCHEMA },
    onFollowForm(web, async ({ request, reply, visit, person }) => {
      const exchange = { request, reply, visit }
      const file = findSentFile(request)
      const fail = (words: string) =>
        sendFollowingPage(web, exchange, {
          notices: [{ lead: 'Nothing imported.', text: words, kind: 'error' }],
          status: 400,
        })
      if (file === undefined) return fail('Choose a file first.')
      if (file.isCut) return fail('That file is larger than 1 MB. Split it in two.')
      const parts = { follower: person.jid, text: await text(file.stream()), discovery: discoveryOf(web) }
      return sendFollowingPage(web, exchange, { imported: await look(person.jid, () => importOpml(ctx, parts)) })
    }),
  )
}
