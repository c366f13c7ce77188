import type { FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import { requestUpload } from '#server/feeds/upload.ts'
import type { Draft } from '#server/store/draft.ts'
import type { Picture } from '#shared/entry.ts'
import { isPictureType, isWebAddress } from '#shared/entry.ts'
import { domainOf } from '#shared/jid.ts'
import { findSentFile, type SentFile } from './multipart.ts'
import { isPublicAddress } from './picture/public-address.ts'
import { putPicture } from './picture/put-picture.ts'
import { SNIFF_BYTES, sniffPicture } from './picture/sniff.ts'
import type { Web } from './web.ts'
import { MOST_PICTURES, type WriteFields } from './write-form.ts'

type PictureFields = WriteFields & { readonly 'picture-address'?: string }

const UPLOAD_MS = 60_000
const NO_PICTURE = 'That is no picture that browsers show. Choose a JPEG, PNG, GIF or WebP file.'

/** A draft with the picture that came with its form: as a file, or as an address on the web. */
export async function addSentPicture(
  web: Web,
  request: FastifyRequest<{ Body: WriteFields }>,
  draft: Draft,
): Promise<Draft> {
  const { pictures } = draft
  const fields: PictureFields = request.body
  const file = findSentFile(request)
  const address = (fields['picture-address'] ?? '').trim()
  const alt = (fields['picture-alt'] ?? '').replace(/\s+/g, ' ').trim().slice(0, 1_000)
  if (pictures === undefined) return draft
  if (file === undefined && address === '') {
    if (fields.action === 'picture' && alt !== '')
      throw new AppError('bad-request', 'Choose a picture first, or give its address.')
    return draft
  }
  if (pictures.length >= MOST_PICTURES) {
    throw new AppError('bad-request', `A post has ${MOST_PICTURES} pictures at most. Remove one first.`)
  }
  const found = file === undefined ? await findRemote(web, draft, address) : await upload(web, draft, file)
  return { ...draft, pictures: [...pictures.filter(({ href }) => href !== found.href), { ...found, alt }] }
}

async function findRemote({ pictures }: Web, { jid }: Draft, address: string): Promise<Omit<Picture, 'alt'>> {
  if (!isWebAddress(address))
    throw new AppError('bad-request', 'Write the whole address of the picture, with https://.')
  const { type } = await pictures.find(address, jid)
  if (!isPictureType(type)) throw new AppError('bad-request', NO_PICTURE)
  return { href: address, type }
}

async function upload({ ctx }: Web, { jid }: Draft, file: SentFile): Promise<Omit<Picture, 'alt'>> {
  const { size, isCut } = file
  if (isCut) throw new AppError('too-large', 'The picture is too large: 10 MB fit. Make it smaller first.')
  const type = sniffPicture(await file.readHead(SNIFF_BYTES))
  if (type === undefined || !isPictureType(type)) throw new AppError('bad-request', NO_PICTURE)
  const name = `picture.${type === 'image/jpeg' ? 'jpg' : type.slice('image/'.length)}`
  const slot = await requestUpload(ctx, jid, { name, size, type })
  const isOwn = domainOf(jid) === ctx.siteDomain
  const limits = { isOwn, isAllowed: ctx.isPublicAddress ?? isPublicAddress, timeoutMs: UPLOAD_MS }
  await putPicture(slot, { type, size, stream: file.stream() }, limits)
  return { href: slot.get, type }
}
