import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { after, before, describe, it } from 'node:test'
import { isAppError } from '#server/errors.ts'
import { findTargets, isPublicAddress, readService } from '#server/xmpp/targets.ts'
import type { BareJid } from '#shared/jid.ts'
import { type DnsResponder, startDns } from '#test/support/dns.ts'
import { assertNoThread } from '#test/support/look-ups.ts'

describe('where a server may be', () => {
  let dns: DnsResponder
  const resolver = new Resolver()
  const resolveSrv = (name: string) => resolver.resolveSrv(name)
  before(async () => {
    dns = await startDns((name, service) => {
      if (name !== 'capulet.example') return undefined
      return { 'xmpp-client': 5333, 'xmpps-client': 5334 }[service]
    })
    resolver.setServers([`127.0.0.1:${dns.port}`])
  })
  after(() => dns.stop())

  it('is asked of DNS without taking a thread of Node, for no more hosts than are tried', async () => {
    const names = Array.from({ length: 300 }, (_, n) => `h${n}.invalid`)
    const records = names.map((name) => ({ name, port: 5223, priority: 0, weight: 0 }))
    const begun = await assertNoThread(() =>
      assert.rejects(findTargets('evil.example' as BareJid, { resolveSrv: async () => records }), {
        code: 'unavailable',
      }),
    )
    assert.ok(begun <= 16, `${begun} questions`)
  })

  it('is the configured service and nothing else', async () => {
    const [target, ...others] = await findTargets('capulet.example' as BareJid, { service: 'xmpp://10.0.0.7' })
    assert.deepEqual(target, {
      url: 'xmpp://10.0.0.7:5222',
      host: '10.0.0.7',
      port: 5222,
      security: 'starttls',
      mayBePlain: false,
    })
    assert.deepEqual(others, [])
  })

  it('may be without TLS only on loopback, and only where configured so', () => {
    const plain = (service: string) => readService(service).mayBePlain
    assert.deepEqual(
      ['xmpp://127.0.0.1:5322', 'xmpp://localhost:1', 'xmpp://[::1]:1', 'xmpp://127.8.9.1', 'ws://localhost:1/ws'].map(
        plain,
      ),
      [true, true, true, true, true],
    )
    assert.deepEqual(['xmpp://10.0.0.1', 'xmpp://localhost.example', 'xmpps://127.0.0.1'].map(plain), [
      false,
      false,
      false,
    ])
  })

  it('is refused in words where it is no address', () => {
    for (const service of ['', 'nonsense', 'http://a.example', 'ws://a.example', 'xmpp://']) {
      assert.throws(
        () => readService(service),
        (error) => isAppError(error, 'bad-request'),
        service,
      )
    }
    assert.deepEqual(readService('xmpps://a.example').port, 5223)
    assert.deepEqual(readService('wss://a.example/ws').security, 'websocket')
  })

  it('is found by the SRV records of the domain, for both kinds of TLS', async () => {
    const targets = await findTargets('capulet.example' as BareJid, { resolveSrv, allowPrivate: true })
    assert.deepEqual(targets.map(({ host, port, security }) => `${security} ${host}:${port}`).sort(), [
      'direct 127.0.0.1:5334',
      'starttls 127.0.0.1:5333',
    ])
    assert.ok(targets.every(({ mayBePlain }) => !mayBePlain))
  })

  it("is never a private address that a stranger's domain leads to", async () => {
    for (const domain of ['capulet.example', '127.0.0.1', '[::1]', '169.254.169.254', 'localhost']) {
      await assert.rejects(
        findTargets(domain as BareJid, { resolveSrv }),
        (error) => isAppError(error, 'unavailable'),
        domain,
      )
    }
  })

  it('is public or it is not', () => {
    const addresses =
      '127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1 ::1 :: fe80::1 fc00::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1:: nonsense'
    for (const address of addresses.split(' ')) assert.equal(isPublicAddress(address), false, address)
    for (const address of ['93.184.216.34', '2606:2800:220:1::1']) assert.equal(isPublicAddress(address), true, address)
  })
})
