import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { chooseEncoding, sendBody } from '#server/http/encoding.ts'

const text = 'A canto is a part of a long poem. '.repeat(100)
const lastModified = new Date('2026-03-14T10:00:00.700Z')

function createApp() {
  const app = Fastify()
  app.get('/', (request, reply) => sendBody(request, reply, { type: 'text/plain', bytes: text, lastModified }))
  return app
}

describe('a compressed answer', () => {
  it('has the same text in every encoding, each with an ETag of its own', async () => {
    const app = createApp()
    const [plain, gzip, brotli] = await Promise.all(
      ['identity', 'gzip', 'gzip, deflate, br'].map((encoding) =>
        app.inject({ url: '/', headers: { 'accept-encoding': encoding } }),
      ),
    )
    assert.equal(plain?.body, text)
    assert.equal(gunzipSync(gzip?.rawPayload ?? '').toString(), text)
    assert.equal(brotliDecompressSync(brotli?.rawPayload ?? '').toString(), text)
    assert.equal(brotli?.headers['content-encoding'], 'br')
    assert.equal(new Set([plain, gzip, brotli].map((answer) => answer?.headers.etag)).size, 3)
    assert.equal(brotli?.headers.vary, 'Accept-Encoding')
  })

  it('is 304 for its own ETag and not for that of another encoding', async () => {
    const app = createApp()
    const { etag } = (await app.inject({ url: '/', headers: { 'accept-encoding': 'br' } })).headers
    const same = await app.inject({
      url: '/',
      headers: { 'accept-encoding': 'br', 'if-none-match': `"x", W/${etag}` },
    })
    assert.equal(same.statusCode, 304)
    assert.equal(same.headers.etag, etag)
    assert.equal(same.body, '')
    const other = await app.inject({ url: '/', headers: { 'accept-encoding': 'gzip', 'if-none-match': etag } })
    assert.equal(other.statusCode, 200)
  })

  it('is 304 for its Last-Modified, which an ETag overrules', async () => {
    const app = createApp()
    const since = lastModified.toUTCString()
    assert.equal((await app.inject({ url: '/', headers: { 'if-modified-since': since } })).statusCode, 304)
    const headers = { 'if-modified-since': since, 'if-none-match': '"other"' }
    assert.equal((await app.inject({ url: '/', headers })).statusCode, 200)
    const earlier = { 'if-modified-since': new Date(lastModified.getTime() - 5_000).toUTCString() }
    assert.equal((await app.inject({ url: '/', headers: earlier })).statusCode, 200)
  })

  it('follows the client’s preferences', () => {
    assert.equal(chooseEncoding(undefined), undefined)
    assert.equal(chooseEncoding('gzip;q=1.0, br;q=0.5'), 'gzip')
    assert.equal(chooseEncoding('*'), 'br')
    assert.equal(chooseEncoding('br;q=0, gzip'), 'gzip')
    assert.equal(chooseEncoding('identity, *;q=0'), undefined)
  })
})
