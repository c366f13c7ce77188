import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Web } from '../web.ts'

const KEEP = 'public, max-age=604800'

/** Remote pictures, fetched by us: `/picture/SIGNATURE/ADDRESS`. */
export function addPicture(app: FastifyInstance, { pictures }: Web): void {
  app.get<{ Params: { signature: string; address: string } }>(
    '/picture/:signature/:address',
    async (request, reply) => {
      const address = pictures.readAddress(request.params.signature, request.params.address)
      if (address === undefined) throw new AppError('not-found', 'There is no such picture.')
      const { type, bytes } = await pictures.find(address)
      // Opened by itself, a picture is nothing but a picture.
      reply.header('content-security-policy', "default-src 'none'; sandbox").header('cache-control', KEEP)
      reply.header('cross-origin-resource-policy', 'same-origin')
      return reply.type(type).send(bytes)
    },
  )
}
