import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Element, parse } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { Services } from '#server/xmpp/ports.ts'
import type { Ask } from '#server/xmpp/requests.ts'
import { requestUploadSlot } from '#server/xmpp/upload.ts'
import type { BareJid } from '#shared/jid.ts'
import { useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'

const FILE = { name: 'très cool.jpg', size: 23_456, type: 'image/jpeg' }
const UPLOAD = { jid: 'upload.fake.test' as BareJid, maxSize: 100_000 }

async function request(answer: string, options: { service?: string; upload?: Services['upload'] | null } = {}) {
  const asked: Element[] = []
  const ask: Ask = async (_type, _to, payload) => {
    asked.push(payload)
    return parse(`<iq type='result'>${answer}</iq>`)
  }
  const upload = options.upload === null ? undefined : (options.upload ?? UPLOAD)
  const readServices = async () => ({ pep: true, ...(upload && { upload }) })
  const slot = await requestUploadSlot({ ask, readServices, service: options.service }, FILE)
  return { slot, asked }
}

const slot = (put: string, get = put, headers = '') =>
  `<slot xmlns='urn:xmpp:http:upload:0'><put url='${put}'>${headers}</put><get url='${get}'/></slot>`
const isRefused = (error: unknown) => isAppError(error, 'unavailable')

describe('a place for a file', () => {
  it('is asked for with name, size and type', async () => {
    const { slot: place, asked } = await request(slot('https://up.example/1/a.jpg', 'https://down.example/1/a.jpg'))
    assert.deepEqual(place, { put: 'https://up.example/1/a.jpg', get: 'https://down.example/1/a.jpg', headers: {} })
    assert.deepEqual(asked[0]?.attrs, {
      xmlns: 'urn:xmpp:http:upload:0',
      filename: 'très cool.jpg',
      size: '23456',
      'content-type': 'image/jpeg',
    })
  })

  it('brings no headers but the three that may be, each on one line and in order', async () => {
    const headers = [
      "<header name='Authorization'>Basic a\r\nX-Evil: 1</header>",
      "<header name='cOOkie'>a=1</header><header name='Cookie\n'>b=2</header>",
      "<header name='Expires'>Thu\u0085, 01 Dec</header>",
      "<header name='Host'>evil.example</header><header>nameless</header>",
      `<header name='Authorization'>${'x'.repeat(10_000)}</header>`,
    ]
    const { slot: place } = await request(slot('https://up.example/1', 'https://up.example/1', headers.join('')))
    assert.deepEqual(place.headers, {
      Authorization: 'Basic aX-Evil: 1',
      Cookie: 'a=1; b=2',
      Expires: 'Thu, 01 Dec',
    })
  })

  it('is under TLS, or on this machine where the configured server is', async () => {
    for (const url of ['http://up.example/1', 'ftp://up.example/1', 'file:///etc/passwd', 'nonsense', '/1', ''])
      await assert.rejects(request(slot(url)), isRefused, url)
    await assert.rejects(request(slot('https://up.example/1', 'http://up.example/1')), isRefused)
    await assert.rejects(request(slot('https://juliet:secret@up.example/1')), isRefused)
    await assert.rejects(request(slot(`https://up.example/${'a'.repeat(5000)}`)), isRefused)
    await assert.rejects(request('<slot/>'), isRefused)
    const loopback = 'http://localhost:5380/upload/1'
    await assert.rejects(request(slot(loopback)), isRefused)
    await assert.rejects(request(slot(loopback), { service: 'xmpp://xmpp.example' }), isRefused)
    await assert.rejects(request(slot('http://up.example/1'), { service: 'xmpp://127.0.0.1:5322' }), isRefused)
    const { slot: place } = await request(slot(loopback), { service: 'xmpp://127.0.0.1:5322' })
    assert.equal(place.put, loopback)
  })

  it('is not asked for where there is none, or none so large', async () => {
    await assert.rejects(request('', { upload: null }), (error) => isAppError(error, 'not-implemented'))
    await assert.rejects(request('', { upload: { ...UPLOAD, maxSize: 20_480 } }), (error) => {
      assert.ok(isAppError(error, 'too-large'))
      return /20 kB/.test(error.message)
    })
  })

  it('is given by ejabberd, takes the file and shows it', async () => {
    await using rig = await useRig()
    const user = `juliet-${randomUUID().slice(0, 8)}`
    await rig.ejabberd.register(user, `password of ${user}`)
    await using session = openTestSession(rig.ejabberd, user)
    await session.whenOnline(30_000)
    const body = Buffer.from('a picture')
    const file = { name: 'a.png', size: body.length, type: 'image/png' }
    const place = await session.requestUploadSlot?.(file)
    assert.ok(place)
    const put = await fetch(place.put, {
      method: 'PUT',
      body,
      headers: { ...place.headers, 'content-type': file.type },
    })
    assert.equal(put.status, 201)
    assert.equal(await (await fetch(place.get)).text(), 'a picture')
  })
})
