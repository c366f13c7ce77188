import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { connect, createServer } from 'node:tls'
import { createIdentity } from '#server/local/certificate.ts'
import { trustCertificate } from '#test/support/certificates.ts'

describe('a benchmark that starts a server of the same name again', () => {
  it('trusts the certificate of each of them', async () => {
    for (let n = 0; n < 10; n++) {
      const { certificate, key } = createIdentity('localhost', new Date(Date.now() + n * 1_000))
      trustCertificate(certificate)
      await using server = createServer({ cert: certificate, key }, (socket) => socket.end())
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const socket = connect({
        port: (server.address() as AddressInfo).port,
        host: '127.0.0.1',
        servername: 'localhost',
      })
      await once(socket, 'secureConnect')
      assert.equal(socket.authorized, true)
      socket.destroy()
    }
  })
})
