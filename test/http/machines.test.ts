import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Config } from '#server/config.ts'
import { checkWeb } from '#server/doctor-server.ts'
import { createMetrics } from '#server/metrics.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { jidOf } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { createTestSite } from './test-site.ts'

describe('/healthz', () => {
  it('says that the site is ready, and goes on to say so while the network is away, with the reason', async () => {
    await using site = await createTestSite()
    const health = async () => (await site.browser().get('/healthz')).json()
    assert.deepEqual(await health(), { status: 'ok', xmpp: 'online', problems: [] })
    site.ctx.site.setStatus('waiting')
    const { status, xmpp, problems } = await health()
    assert.deepEqual([status, xmpp], ['ok', 'offline'])
    assert.match(problems.join(), /canto@capulet\.example is not online: The XMPP server .* cannot be reached/)
  })

  it('is 503 until the site account was online, and when the databases cannot be read', async () => {
    await using site = await createTestSite({ isSiteOffline: true })
    const early = await site.browser().get('/healthz')
    assert.deepEqual([early.statusCode, early.json().status], [503, 'not-ready'])
    site.ctx.site.setStatus('online')
    assert.equal((await site.browser().get('/healthz')).statusCode, 200)
    await site.ctx.index.schema.dropTable('node').execute()
    const broken = await site.browser().get('/healthz')
    assert.equal(broken.statusCode, 503)
    assert.match(broken.json().problems.join(), /databases cannot be read/)
  })

  it('counts the nodes that cannot be read', async () => {
    await using site = await createTestSite()
    const address = { service: jidOf('pubsub.montague.example'), node: 'dogs' }
    await addNode(site.ctx.index, { address, kind: 'community', now: new Date() })
    await updateNode(site.ctx.index, address, { problem: 'It does not answer' })
    assert.match((await site.browser().get('/healthz')).json().problems.join(), /1 blogs or communities cannot be read/)
  })

  it('says that all readers seem to come from one network, when there were many, and the doctor warns', async () => {
    await using site = await createTestSite({ env: { CANTO_PROXY: '127.0.0.1' } })
    const look = (address: string) => site.browser().get('/robots.txt', { 'x-forwarded-for': address })
    const readers = async () => (await site.browser().get('/healthz')).json().readers
    for (let n = 0; n < 200; n++) {
      assert.equal(await readers(), undefined)
      await look(`2001:db8::${n}`)
    }
    assert.equal(await readers(), 'one-network')
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = site.app.server.address() as AddressInfo
    const config = { host: '127.0.0.1', port, url: new URL('https://blog.example') } as Config
    const warned = async () => (await checkWeb(config)).filter(({ words }) => /one address/.test(words))
    assert.deepEqual(
      (await warned()).map(({ level, mend }) => [level, /CANTO_PROXY/.test(mend ?? '')]),
      [['warning', true]],
    )
    // A site on localhost has no other readers.
    assert.deepEqual(
      (await checkWeb({ ...config, url: new URL('http://localhost') })).map(({ level }) => level),
      ['fine'],
    )
    await look('192.0.2.1')
    assert.equal(await readers(), undefined)
    assert.deepEqual(await warned(), [])
  })

  it('says so at once where a proxy nearby is not named, and never because a reader claims to be one', async () => {
    await using site = await createTestSite()
    const readers = async () => (await site.browser().get('/healthz')).json().readers
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    await site.app.inject({ url: '/robots.txt', headers, remoteAddress: '198.51.100.7' })
    assert.equal(await readers(), undefined)
    await site.app.inject({ url: '/robots.txt', headers, remoteAddress: '172.17.0.1' })
    assert.equal(await readers(), 'one-network')
  })
})

describe('/metrics', () => {
  it('is OpenMetrics with requests by route, for this machine and the operator alone', async () => {
    const metrics = createMetrics()
    await using site = await createTestSite({ metrics, env: { CANTO_OPERATORS: 'juliet@capulet.example' } })
    await site.browser().get('/tag/love')
    const answer = await site.browser().get('/metrics')
    assert.equal(answer.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    assert.match(answer.body, /^canto_http_request_duration_seconds_count\{route="\/tag\/:tag",.*status="200"\} 1$/m)
    assert.match(answer.body, /# EOF\n$/)

    const forwarded = { 'x-forwarded-for': '203.0.113.5' }
    assert.equal((await site.browser().get('/metrics', forwarded)).statusCode, 403)
    const reader = await site.signedIn('romeo@montague.example')
    assert.equal((await reader.get('/metrics', forwarded)).statusCode, 403)
    const operator = await site.signedIn('juliet@capulet.example')
    assert.equal((await operator.get('/metrics', forwarded)).statusCode, 200)
  })

  it('tells how long the event loop was kept waiting', async () => {
    await using site = await createTestSite({ metrics: createMetrics() })
    const readMax = async () => {
      const { body } = await site.browser().get('/metrics')
      assert.match(body, /^nodejs_eventloop_lag_p99_seconds \S+$/m)
      return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(body)?.[1])
    }
    const blocked = 0.1
    // Again and again: each look begins anew, and what came before the first turn after it is not measured.
    await until(async () => {
      const end = performance.now() + blocked * 1000
      while (performance.now() < end);
      // It is measured at the beginning of the next turn but one.
      await nextTurn()
      await nextTurn()
      return (await readMax()) > blocked * 0.9
    })
  })

  it('answers no page that has its own name lead to this machine', async () => {
    await using site = await createTestSite({ metrics: createMetrics() })
    const ask = async (host: string) => (await site.browser().get('/metrics', { host })).statusCode
    for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'localhost'])
      assert.equal(await ask(host), 200)
    for (const host of ['evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', 'blog.example'])
      assert.equal(await ask(host), 403, host)
  })

  it('asks for a token where there is a proxy, from which everybody may seem to come', async () => {
    const token = '0123456789abcdef0123456789abcdef'
    const env = { CANTO_PROXY: '192.0.2.7', CANTO_METRICS_TOKEN: token }
    await using site = await createTestSite({ metrics: createMetrics(), env })
    const ask = async (headers: Record<string, string> = {}) =>
      (await site.browser().get('/metrics', headers)).statusCode
    assert.equal(await ask(), 403)
    assert.equal(await ask({ authorization: `Bearer ${token}x` }), 403)
    assert.equal(await ask({ authorization: token }), 403)
    assert.equal(await ask({ authorization: `Bearer ${token}` }), 200)
    assert.equal(await ask({ authorization: `Bearer ${token}`, host: 'blog.example', 'x-forwarded-for': '::9' }), 200)
    await using bare = await createTestSite({ metrics: createMetrics(), env: { CANTO_PROXY: '192.0.2.7' } })
    const answer = await bare.browser().get('/metrics', { authorization: 'Bearer ' })
    assert.equal(answer.statusCode, 403)
  })
})
