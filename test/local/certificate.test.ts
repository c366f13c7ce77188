import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { connect, createServer } from 'node:tls'
import { createIdentity, isUsableIdentity } from '#server/local/certificate.ts'

const NOW = new Date('2026-11-22T12:00:00Z')

describe('the local server’s certificate', () => {
  it('names the domain and its services, is signed by itself, and lasts ten years', () => {
    const { certificate } = createIdentity('canto.localhost', NOW)
    const read = new X509Certificate(certificate)
    assert.equal(read.verify(read.publicKey), true)
    assert.equal(read.checkHost('canto.localhost'), 'canto.localhost')
    assert.equal(read.checkHost('pubsub.canto.localhost') !== undefined, true)
    assert.equal(read.checkIP('127.0.0.1'), '127.0.0.1')
    assert.equal(read.validToDate.getUTCFullYear(), 2036)
    assert.equal(read.validFromDate < NOW, true)
  })

  it('can be made after 2050, when dates are written otherwise', () => {
    const { certificate } = createIdentity('localhost', new Date('2055-01-01T00:00:00Z'))
    assert.equal(new X509Certificate(certificate).validToDate.getUTCFullYear(), 2065)
  })

  it('is made anew for another domain, near its end, or when the file is damaged', () => {
    const { certificate, key } = createIdentity('localhost', NOW)
    assert.equal(isUsableIdentity(certificate + key, 'localhost', NOW), true)
    assert.equal(isUsableIdentity(certificate + key, 'other.example', NOW), false)
    assert.equal(isUsableIdentity(certificate + key, 'localhost', new Date('2036-11-20T00:00:00Z')), false)
    assert.equal(isUsableIdentity(certificate, 'localhost', NOW), false)
    assert.equal(isUsableIdentity('', 'localhost', NOW), false)
  })

  it('is believed by a client that was given it, and by no other', async () => {
    const { certificate, key } = createIdentity('localhost', new Date())
    const server = createServer({ cert: certificate, key }, (socket) => socket.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate })
      await once(client, 'secureConnect')
      assert.equal(client.authorized, true)
      client.destroy()
      await assert.rejects(once(connect({ host: '127.0.0.1', port, servername: 'localhost' }), 'secureConnect'))
    } finally {
      server.close()
    }
  })
})
