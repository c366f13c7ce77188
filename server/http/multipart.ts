import type { FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'

/** A file that came with a form. */
export interface SentFile {
  readonly bytes: Buffer
  /** It was larger than it may be: these are not all its bytes. */
  readonly isCut: boolean
}

const FILE_BYTES = 10 * 1024 * 1024
const FIELD_BYTES = 4 * 1024 * 1024
const FIELDS = 200

const files = new WeakMap<FastifyRequest, SentFile>()

/** Reads a form with a file, as far as it may go, so that its fields are checked like those of any other form. */
export async function readMultipart(request: FastifyRequest): Promise<void> {
  if (!request.isMultipart()) return
  const fields = new Map<string, string>()
  const limits = { fileSize: FILE_BYTES, files: 1, fields: FIELDS, fieldSize: FIELD_BYTES, parts: FIELDS + 1 }
  for await (const part of request.parts({ limits, throwFileSizeLimit: false } as Parameters<
    typeof request.parts
  >[0])) {
    if (part.type === 'file') await keepFile(request, part.file)
    else if (fields.has(part.fieldname) || typeof part.value !== 'string' || part.valueTruncated) {
      throw new AppError('bad-request', 'The request cannot be understood.')
    } else fields.set(part.fieldname, part.value)
  }
  request.body = Object.fromEntries(fields)
}

/** The file of a form that `readMultipart` read; none where nobody chose one. */
export function findSentFile(request: FastifyRequest): SentFile | undefined {
  return files.get(request)
}

async function keepFile(
  request: FastifyRequest,
  stream: AsyncIterable<Buffer> & { truncated?: boolean },
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (bytes.length > 0) files.set(request, { bytes, isCut: stream.truncated === true })
}
