import { createHash } from 'node:crypto'
import { AppError, isAppError } from '#server/errors.ts'
import type { Secret } from '#server/people/secret.ts'
import type { FetchLimits } from '../bounded-fetch.ts'
import { createFetchPlaces } from '../fetch-places.ts'
import type { Picture } from './fetch-picture.ts'
import { fetchPicture } from './fetch-picture.ts'
import { sniffPicture } from './sniff.ts'

export interface PictureAddresses {
  /** Our own address of a remote picture; signed, so that nobody else can have us fetch theirs. */
  writePath(address: string): string
}

/** Remote pictures, so that no page makes its reader ask a third party. */
export interface Pictures extends PictureAddresses {
  /** For what only one person sees, of which nobody knows where it comes from: these end after an hour or two. */
  readonly preview: PictureAddresses
  /** The remote address, if the signature is ours and has not ended. */
  readAddress(parts: PictureParts): string | undefined
  /** `reader` is the network of the one who wants to see it, so that nobody waits for what others ask. */
  find(address: string, reader: string): Promise<Picture>
  /** Our own address of a picture that is at hand, for a while; undefined for what is none. */
  keep(bytes: Buffer): string | undefined
}

export interface PictureParts {
  readonly signature: string
  /** The address in base64url. */
  readonly encoded: string
  /** Hours since 1970 at which the address ends; without it, it does not. */
  readonly until?: string | undefined
}

const CACHE_BYTES = 64 * 1024 * 1024
const FAILURE_MS = 60_000
const MOST_FAILED = 1_000
const HOUR_MS = 3_600_000
const PURPOSE = 'picture'
/** No address of the web. */
const KEPT = 'kept:'

export interface PicturesOptions extends Omit<FetchLimits, 'places' | 'readers'> {
  readonly clock: () => Date
  /** Pictures on the server that runs here, which is no public address. */
  readonly isOwnUpload?: (address: string) => boolean
}

export function createPictures(secret: Secret, options: PicturesOptions): Pictures {
  const { isOwnUpload = () => false, clock, ...bounds } = options
  const limits = { ...bounds, places: createFetchPlaces() }
  const cache = createPictureCache(CACHE_BYTES)
  const failed = new Map<string, { error: unknown; until: number }>()
  const underWay = new Map<string, { readonly picture: Promise<Picture>; readonly readers: Set<string> }>()

  async function fetchOnce(address: string, readers: ReadonlySet<string>): Promise<Picture> {
    const isAllowed = isOwnUpload(address) ? isLoopback : limits.isAllowed
    try {
      const picture = await fetchPicture(address, { ...limits, isAllowed, readers })
      cache.save(address, picture)
      return picture
    } catch (error) {
      // That we were busy says nothing about the picture.
      if (!isAppError(error, 'unavailable')) saveFailure(address, error)
      throw error
    } finally {
      underWay.delete(address)
    }
  }

  function saveFailure(address: string, error: unknown): void {
    failed.delete(address)
    failed.set(address, { error, until: performance.now() + FAILURE_MS })
    const [oldest] = failed.keys()
    if (oldest !== undefined && failed.size > MOST_FAILED) failed.delete(oldest)
  }

  function writePath(address: string): string {
    const encoded = Buffer.from(address).toString('base64url')
    return `/picture/${secret.sign(PURPOSE, encoded)}/${encoded}`
  }

  function writePreviewPath(address: string): string {
    const encoded = Buffer.from(address).toString('base64url')
    const until = Math.floor(clock().getTime() / HOUR_MS) + 2
    return `/picture/${secret.sign(PURPOSE, `${encoded} ${until}`)}/${encoded}?until=${until}`
  }

  return {
    writePath,
    preview: { writePath: writePreviewPath },
    keep(bytes) {
      const type = sniffPicture(bytes)
      if (type === undefined) return undefined
      const address = `${KEPT}${createHash('sha256').update(bytes).digest('hex')}`
      cache.save(address, { type, bytes })
      return writePreviewPath(address)
    },
    readAddress({ signature, encoded, until }) {
      const signed = until === undefined ? encoded : `${encoded} ${until}`
      if (!secret.isSignature(PURPOSE, signed, signature)) return undefined
      if (until !== undefined && clock().getTime() >= Number(until) * HOUR_MS) return undefined
      return Buffer.from(encoded, 'base64url').toString()
    },
    async find(address, reader) {
      const known = cache.find(address)
      if (known !== undefined) return known
      if (address.startsWith(KEPT)) throw new AppError('not-found', 'The picture is not kept any more.')
      const failure = failed.get(address)
      if (failure !== undefined && failure.until > performance.now()) throw failure.error
      const running = underWay.get(address)
      if (running !== undefined) {
        running.readers.add(reader)
        limits.places.onJoined()
        return running.picture
      }
      const readers = new Set([reader])
      const picture = fetchOnce(address, readers)
      underWay.set(address, { picture, readers })
      return picture
    },
  }
}

function isLoopback(address: string): boolean {
  return address === '127.0.0.1'
}

/** Keeps the ones used last, up to so many bytes. */
function createPictureCache(maxBytes: number) {
  const kept = new Map<string, Picture>()
  let held = 0
  const drop = (address: string) => {
    held -= kept.get(address)?.bytes.length ?? 0
    kept.delete(address)
  }
  return {
    find(address: string): Picture | undefined {
      const picture = kept.get(address)
      if (picture === undefined) return undefined
      kept.delete(address)
      kept.set(address, picture)
      return picture
    },
    save(address: string, picture: Picture): void {
      drop(address)
      kept.set(address, picture)
      held += picture.bytes.length
      for (const oldest of kept.keys()) {
        if (held <= maxBytes) break
        drop(oldest)
      }
    },
  }
}
