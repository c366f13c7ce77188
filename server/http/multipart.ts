import { randomUUID } from 'node:crypto'
import type { ReadStream } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import { readFormSender } from './form-guard.ts'
import { readVisit } from './visit.ts'
import type { Web } from './web.ts'
import { whenOver } from './when-over.ts'

/** A file that came with a form: on the disk, under no name, until the request is answered. */
export interface SentFile {
  readonly size: number
  /** It was larger than it may be: these are not all its bytes. */
  readonly isCut: boolean
  /** Reads the first `bytes` bytes of the file, or all where it is shorter. */
  readHead(bytes: number): Promise<Buffer>
  stream(): ReadStream
}

const FIELDS = 200

const files = new WeakMap<FastifyRequest, SentFile>()

/** Reads a form with a file, as far as it may go, so that its fields are checked like those of any other form. */
export function createFormReader(web: Web) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!request.isMultipart()) return
    const { bodyLimit = 0, config } = request.routeOptions
    const limits = { fileSize: config.fileBytes, files: 1, fields: FIELDS, fieldSize: bodyLimit, parts: FIELDS + 1 }
    const fields = new Map<string, string>()
    let left = bodyLimit
    for await (const part of request.parts({ limits, throwFileSizeLimit: false } as Parameters<
      typeof request.parts
    >[0])) {
      if (part.type === 'file') await receiveFile(web, { request, reply, part, token: fields.get('token') })
      else if (fields.has(part.fieldname) || typeof part.value !== 'string') {
        throw new AppError('bad-request', 'The request cannot be understood.')
      } else {
        left -= Buffer.byteLength(part.value)
        if (part.valueTruncated || left < 0)
          throw new AppError('too-large', 'That is too much to send at once. Go back and shorten it.')
        fields.set(part.fieldname, part.value)
      }
    }
    request.body = Object.fromEntries(fields)
  }
}

/** The file of a form that was read; none where nobody chose one, or its sender is not signed in any more. */
export function findSentFile(request: FastifyRequest): SentFile | undefined {
  return files.get(request)
}

interface FilePart {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly part: MultipartFile
  /** It stands before the file, or the body was not admitted. */
  readonly token: string | undefined
}

async function receiveFile(web: Web, { request, reply, part, token }: FilePart): Promise<void> {
  const sender = readFormSender(web, await readVisit(web, request), token)
  if (sender.kind !== 'own') return void part.file.resume()
  const handle = await openUnnamed(web.ctx.config.data)
  whenOver(reply, () => void handle.close().catch(() => {}))
  let size = 0
  for await (const chunk of part.file as AsyncIterable<Buffer>) {
    await handle.writeFile(chunk)
    size += chunk.length
  }
  if (size > 0) files.set(request, describeFile(handle, { size, isCut: part.file.truncated }))
}

/** A file that is gone with the process, however it ends. */
async function openUnnamed(folder: string): Promise<FileHandle> {
  const path = join(folder, `upload-${randomUUID()}`)
  const handle = await open(path, 'wx+', 0o600)
  await unlink(path)
  return handle
}

function describeFile(handle: FileHandle, known: Pick<SentFile, 'size' | 'isCut'>): SentFile {
  return {
    ...known,
    async readHead(bytes) {
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(bytes), position: 0 })
      return buffer.subarray(0, bytesRead)
    },
    stream: () => handle.createReadStream({ start: 0, autoClose: false }),
  }
}
