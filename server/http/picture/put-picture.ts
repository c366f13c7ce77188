import http from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { AppError } from '#server/errors.ts'
import { lookUpHere, lookUpInDns } from '#server/look-up.ts'
import { pinnedLookup } from '../bounded-fetch.ts'
import { type IsAllowedAddress, resolveHost } from './public-address.ts'

export interface UploadPlace {
  readonly put: string
  readonly headers: Readonly<Record<string, string>>
}

/** A picture on its way to a server. */
export interface PictureFile {
  readonly type: string
  /** In bytes. */
  readonly size: number
  readonly stream: Readable
}

export interface UploadLimits {
  /** Of the site's own server, which may be on a private network, under a name that only this machine knows. */
  readonly isOwn: boolean
  /** Of other servers. */
  readonly isAllowed: IsAllowedAddress
  /** For all of it, looking up its name too. */
  readonly timeoutMs: number
}

/** Puts a picture where a server has offered a place for it (XEP-0363 §6). Rejects with an AppError. */
export async function putPicture(
  { put, headers }: UploadPlace,
  { type, size, stream }: PictureFile,
  { isOwn, isAllowed, timeoutMs }: UploadLimits,
): Promise<void> {
  const url = new URL(put)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const pinned = isOwn
      ? await resolveHost(url.hostname, () => true, lookUpHere)
      : await resolveHost(url.hostname, isAllowed, lookUpInDns)
    const status = await new Promise<number>((resolve, reject) => {
      const { request } = url.protocol === 'https:' ? https : http
      const sent = request(
        url,
        {
          method: 'PUT',
          signal,
          agent: false,
          headers: { ...headers, 'content-type': type, 'content-length': size },
          // The addresses that were checked are the ones that are used.
          lookup: pinnedLookup(pinned),
        },
        (answer) => {
          // What it says is of no use to anybody.
          answer.destroy()
          resolve(answer.statusCode ?? 0)
        },
      )
      sent.on('error', reject)
      stream.on('error', reject).pipe(sent)
    })
    if (status < 200 || status > 299)
      throw new AppError('unavailable', `Your XMPP server did not take the picture (${status})`)
  } catch (cause) {
    throw cause instanceof AppError
      ? cause
      : new AppError('unavailable', 'The picture did not arrive at your XMPP server. Try again', { cause })
  }
}
