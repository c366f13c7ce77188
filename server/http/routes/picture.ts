import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { networkOf } from '#server/people/throttle.ts'
import type { Web } from '../web.ts'

const KEEP = 'public, max-age=604800'
/** The address is nobody else's, and ends. */
const KEEP_PREVIEW = 'private, max-age=3600'

/** Remote pictures, fetched by us: `/picture/SIGNATURE/ADDRESS`. */
export function addPicture(app: FastifyInstance, { pictures }: Web): void {
  app.get<{ Params: { signature: string; address: string }; Querystring: { until?: string } }>(
    '/picture/:signature/:address',
    async (request, reply) => {
      const { signature, address: encoded } = request.params
      const { until } = request.query
      const address = pictures.readAddress({ signature, encoded, until })
      if (address === undefined) throw new AppError('not-found', 'There is no such picture.')
      const { type, bytes } = await pictures.find(address, networkOf(request.ip))
      // Opened by itself, a picture is nothing but a picture.
      reply.header('content-security-policy', "default-src 'none'; sandbox")
      reply.header('cache-control', until === undefined ? KEEP : KEEP_PREVIEW)
      reply.header('cross-origin-resource-policy', 'same-origin')
      return reply.type(type).send(bytes)
    },
  )
}
