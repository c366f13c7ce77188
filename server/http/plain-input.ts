import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'

/** Lets only text into queries and forms: a field that is there twice, or a structure in JSON, is a bad request. */
export function requirePlainInput(app: FastifyInstance): void {
  app.addHook('preValidation', async ({ query, body }) => {
    if (isPlain(query) && (body === undefined || body === null || isPlain(body))) return
    throw new AppError('bad-request', 'The request cannot be understood.')
  })
}

function isPlain(input: unknown): boolean {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return false
  return Object.values(input).every((value) => typeof value === 'string')
}
