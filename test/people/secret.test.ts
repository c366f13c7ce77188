import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { cookieKey, createCookie, hashCookie } from '#server/people/cookie.ts'
import { seal, unseal } from '#server/people/sealing.ts'
import { createSecret, openSecret } from '#server/people/secret.ts'

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'canto-secret-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('the secret', () => {
  it('is made once, and only its owner may read it', () =>
    withFolder(async (folder) => {
      const first = await openSecret(folder)
      const { mode } = await stat(join(folder, 'secret'))
      assert.equal(mode & 0o777, 0o600)
      assert.deepEqual((await openSecret(folder)).key('x'), first.key('x'))
      assert.notDeepEqual(first.key('x'), first.key('y'))
      assert.ok(!(await readFile(join(folder, 'secret'), 'utf8')).includes(first.key('x').toString('base64url')))
    }))

  it('that is damaged or cannot be read is said in a sentence, and never replaced', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'secret')
      await writeFile(path, 'short')
      await assert.rejects(openSecret(folder), { code: 'internal', message: /damaged/ })
      await rm(path)
      await writeFile(join(folder, 'file'), '')
      await chmod(join(folder, 'file'), 0o600)
      await assert.rejects(openSecret(join(folder, 'file')), { name: 'AppError' })
    }))

  it('signs for one purpose what nobody else can', () => {
    const secret = createSecret(Buffer.alloc(32, 1))
    const signature = secret.sign('a', 'text')
    assert.ok(secret.isSignature('a', 'text', signature))
    assert.ok(!secret.isSignature('b', 'text', signature))
    assert.ok(!secret.isSignature('a', 'other', signature))
    assert.ok(!secret.isSignature('a', 'text', ''))
  })
})

describe('what is sealed', () => {
  it('opens only with its key, for its owner, unchanged', () => {
    const key = Buffer.alloc(32, 7)
    const sealed = seal(key, 'juliet', 'pass — wörd')
    assert.equal(unseal(key, 'juliet', sealed), 'pass — wörd')
    assert.notEqual(seal(key, 'juliet', 'pass — wörd'), sealed)
    assert.equal(unseal(key, 'romeo', sealed), undefined)
    assert.equal(unseal(Buffer.alloc(32, 8), 'juliet', sealed), undefined)
    const bytes = Buffer.from(sealed, 'base64url')
    bytes[20] = (bytes[20] ?? 0) ^ 1
    for (const text of ['', 'x', bytes.toString('base64url'), sealed.slice(0, 30)]) {
      assert.equal(unseal(key, 'juliet', text), undefined)
    }
  })
})

describe('a cookie', () => {
  it('cannot be found out from what the database has of it', () => {
    const cookie = createCookie()
    const hash = hashCookie(cookie) ?? ''
    assert.notEqual(hash, cookie)
    assert.notEqual(hash, cookieKey(cookie).toString('base64url'))
    for (const text of ['', 'x', `${cookie}x`, `${cookie.slice(1)}/`]) assert.equal(hashCookie(text), undefined)
  })
})
