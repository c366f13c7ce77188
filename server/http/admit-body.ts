import type { IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import { networkOf } from '#server/people/throttle.ts'
import { createBodyBudget, type SentBody } from './body-budget.ts'
import type { Web } from './web.ts'
import { whenOver } from './when-over.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Bytes of the file that a form of this route may carry; without it the route takes no multipart form. */
    fileBytes?: number
  }
}

/** Forms other than those for writing: as much as is read of anybody. */
export const BODY_BYTES = 256 * 1024
/** Bytes of a form that always fits, as that for signing in: Node reads as much of the head of any request. */
const SMALL_BYTES = 16 * 1024
/** The boundaries and headers of the parts of a form. */
const FRAME_BYTES = 64 * 1024
/** A form token names its account, whose address may have 3 KB. */
const HEAD_BYTES = 8 * 1024
const MB = 1024 * 1024

/**
 * Decides by the head of a request whether its body is read. Its length must be known and fit. A long body, or one with
 * a file, is read only of somebody who is known: its first field has to be a form token of ours.
 */
export function admitBodies(app: FastifyInstance, web: Web): void {
  const strangers = createBodyBudget({ each: 2 * MB, all: 16 * MB })
  const accounts = createBodyBudget({ each: 32 * MB, all: 128 * MB })
  app.addHook('preParsing', async (request, reply) => {
    const length = readLength(request)
    if (length === 0) return
    const body = { length, isMultipart: /^multipart\//i.test(request.headers['content-type'] ?? '') }
    requireFit(request, body)
    if (!body.isMultipart && length <= SMALL_BYTES) return
    const isAnybodys = !body.isMultipart && length <= BODY_BYTES
    const owner = isAnybodys ? await findOwner(web, request) : await requireOwner(web, request, body)
    const budget = owner === undefined ? strangers : accounts
    whenOver(reply, budget.take(countBody(request, owner ?? networkOf(request.ip), length)))
  })
}

/** The account whose session a request is of, so that strangers take no room from those who write here. */
async function findOwner({ ctx, cookies }: Web, request: FastifyRequest): Promise<string | undefined> {
  const cookie = cookies.readSession(request)
  return cookie === undefined ? undefined : (await ctx.people.find(cookie))?.jid
}

function countBody({ raw }: FastifyRequest, sender: string, bytes: number): SentBody {
  return {
    sender,
    bytes,
    isArriving: () => !raw.complete,
    giveUp: () => void raw.destroy(),
  }
}

function readLength({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined)
    throw new AppError('length-required', 'Send the length of the request (Content-Length).')
  return Number(headers['content-length'] ?? 0)
}

interface Body {
  readonly length: number
  readonly isMultipart: boolean
}

function requireFit({ routeOptions }: FastifyRequest, { length, isMultipart }: Body): void {
  const { bodyLimit = BODY_BYTES, config } = routeOptions
  const { fileBytes } = config
  if (isMultipart && fileBytes === undefined) throw new AppError('bad-request', 'No file can be sent here.')
  if (fileBytes === undefined || !isMultipart) {
    if (length > bodyLimit) throw new AppError('too-large', 'That is too much to send at once. Go back and shorten it.')
  } else if (length > bodyLimit + fileBytes + FRAME_BYTES) {
    const words = `The file is too large: ${fileBytes / MB} MB fit. Go back and choose a smaller one.`
    throw new AppError('too-large', words)
  }
}

/** The account of a form, also after its session has ended: then its text is kept, and its file is not read. */
async function requireOwner({ tokens }: Web, request: FastifyRequest, { length, isMultipart }: Body): Promise<string> {
  const head = await readHead(request.raw, Math.min(length, HEAD_BYTES))
  const owner = tokens.readOwner(readFirstToken(head, isMultipart) ?? '')
  if (owner !== undefined) return owner.jid
  // Node drops by itself only a body that nobody began to read.
  request.raw.resume()
  throw new AppError('forbidden', 'This form was not made here, or long ago. Go back and copy your text.')
}

/** The first bytes of a body, which stay in it. */
async function readHead(body: IncomingMessage, bytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  while (length < bytes) {
    const chunk = body.read() as Buffer | null
    if (chunk !== null) {
      chunks.push(chunk)
      length += chunk.length
    } else if (body.readableEnded || body.destroyed) break
    else await moreOf(body)
  }
  const head = Buffer.concat(chunks)
  if (!body.readableEnded && head.length > 0) body.unshift(head)
  // The stream forgets in the next turn that somebody waited for it.
  await nextTurn()
  return head.toString('latin1', 0, bytes)
}

function moreOf(body: IncomingMessage): Promise<void> {
  const events = ['readable', 'end', 'close', 'error']
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) body.off(event, done)
      resolve()
    }
    for (const event of events) body.on(event, done)
  })
}

/** The value of the first field where that is the token. */
function readFirstToken(head: string, isMultipart: boolean): string | undefined {
  if (!isMultipart) return new URLSearchParams(head.split('&', 1)[0]).get('token') ?? undefined
  const [boundary = '', ...lines] = head.split('\r\n')
  const end = lines.indexOf('')
  const isToken = lines.slice(0, end).some((line) => line.toLowerCase().endsWith('name="token"'))
  return boundary.startsWith('--') && end > 0 && isToken ? lines[end + 1] : undefined
}
