import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '#server/errors.ts'

/** The site's own secret: one file, from which every purpose has a key of its own. */
export interface Secret {
  /** 32 bytes, the same at every start. */
  key(purpose: string): Buffer
  /** A short unforgeable mark on `text`, base64url. */
  sign(purpose: string, text: string): string
  isSignature(purpose: string, text: string, signature: string): boolean
}

const SECRET_BYTES = 32

/** Reads `secret` in the data folder, or makes it (mode 0600) at the first start. */
export async function openSecret(folder: string): Promise<Secret> {
  const path = join(folder, 'secret')
  const bytes = (await readSecret(path)) ?? (await makeSecret(path))
  if (bytes.length < SECRET_BYTES) {
    throw new AppError(
      'internal',
      `The file ${path} is damaged. Restore it, or delete it: everybody then signs in again.`,
    )
  }
  return createSecret(bytes)
}

export function createSecret(bytes: Uint8Array): Secret {
  const keys = new Map<string, Buffer>()
  const key = (purpose: string): Buffer => {
    const known = keys.get(purpose)
    if (known !== undefined) return known
    const derived = Buffer.from(hkdfSync('sha256', bytes, '', `canto ${purpose}`, SECRET_BYTES))
    keys.set(purpose, derived)
    return derived
  }
  const sign = (purpose: string, text: string) => createHmac('sha256', key(purpose)).update(text).digest('base64url')
  return {
    key,
    sign,
    isSignature: (purpose, text, signature) => {
      const [wanted, given] = [Buffer.from(sign(purpose, text)), Buffer.from(signature)]
      return wanted.length === given.length && timingSafeEqual(wanted, given)
    },
  }
}

async function readSecret(path: string): Promise<Buffer | undefined> {
  try {
    return Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new AppError('internal', `The file ${path} cannot be read. Give it to the user that runs Canto.`, {
      cause: error,
    })
  }
}

async function makeSecret(path: string): Promise<Buffer> {
  const bytes = randomBytes(SECRET_BYTES)
  // Under its name only once it is whole: a process that is killed here leaves no half of a secret.
  const draft = `${path}.new`
  await using file = await open(draft, 'w', 0o600)
  await file.writeFile(`${bytes.toString('base64url')}\n`)
  await file.sync()
  await rename(draft, path)
  return bytes
}
