import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

type Encoding = 'br' | 'gzip'

export interface Body {
  readonly type: string
  readonly bytes: string | Buffer
  /** Second precision in the header; leave out where there is no truthful one. */
  readonly lastModified?: Date
}

const compressWith: Record<Encoding, (bytes: Buffer) => Promise<Buffer>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: promisify(gzip),
}

const SMALL = 800

/** Answers with `body` as the client takes it: compressed, or 304 where it has these very bytes. */
export async function sendBody(request: FastifyRequest, reply: FastifyReply, body: Body): Promise<FastifyReply> {
  const bytes = typeof body.bytes === 'string' ? Buffer.from(body.bytes) : body.bytes
  const isWorthIt = bytes.length >= SMALL && !body.type.startsWith('font/')
  const encoding = isWorthIt ? chooseEncoding(request.headers['accept-encoding']) : undefined
  addVary(reply, 'Accept-Encoding')
  const etag = writeEtag(bytes, encoding)
  reply.header('etag', etag)
  if (body.lastModified !== undefined) reply.header('last-modified', body.lastModified.toUTCString())
  if (reply.statusCode === 200 && isFresh(request, etag, body.lastModified)) return reply.code(304).send()
  reply.type(body.type)
  if (encoding === undefined) return reply.send(bytes)
  return reply.header('content-encoding', encoding).send(await compressWith[encoding](bytes))
}

export function addVary(reply: FastifyReply, field: string): void {
  const known = String(reply.getHeader('vary') ?? '')
  const fields = known === '' ? [] : known.split(', ')
  if (!fields.includes(field)) reply.header('vary', [...fields, field].join(', '))
}

/** What the client prefers among what we have (RFC 9110 §12.5.3); of equals, brotli. */
export function chooseEncoding(header: string | string[] | undefined): Encoding | undefined {
  const wanted = new Map<string, number>()
  for (const part of String(header ?? '').split(',')) {
    const [name = '', ...parameters] = part.trim().toLowerCase().split(';')
    const quality = parameters.map((text) => text.trim()).find((text) => text.startsWith('q='))
    wanted.set(name.trim(), quality === undefined ? 1 : Number(quality.slice(2)) || 0)
  }
  const qualityOf = (name: string) => wanted.get(name) ?? wanted.get('*') ?? 0
  const best = qualityOf('gzip') > qualityOf('br') ? 'gzip' : 'br'
  return qualityOf(best) > 0 ? best : undefined
}

/** One for each encoding, as the bytes differ (RFC 9110 §8.8.3.3). */
function writeEtag(bytes: Buffer, encoding: Encoding | undefined): string {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 27)
  return `"${hash}${encoding === undefined ? '' : `-${encoding}`}"`
}

function isFresh({ headers, method }: FastifyRequest, etag: string, lastModified: Date | undefined): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const match = headers['if-none-match']
  if (match !== undefined) {
    return match.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
  }
  const since = headers['if-modified-since']
  if (since === undefined || lastModified === undefined) return false
  // Not "or earlier": when the newest is deleted, what is left is older and still a change.
  return Math.floor(lastModified.getTime() / 1000) * 1000 === Date.parse(since)
}
