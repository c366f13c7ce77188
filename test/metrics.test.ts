import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addGauges } from '#server/gauges.ts'
import { createMetrics } from '#server/metrics.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { addOutboxRow } from '#server/store/outbox.ts'
import { asItemId } from '#shared/address.ts'
import { createTestContext, jidOf } from '#test/support/context.ts'

const JULIET = jidOf('juliet@capulet.example')

describe('the metrics', () => {
  it('count by labels, and read their gauges when somebody looks', async () => {
    await using ctx = await createTestContext()
    ctx.setNow('2026-03-14T12:00:00Z')
    const metrics = createMetrics()
    addGauges(metrics, { ...ctx, people: { sessions: () => [ctx.signIn(JULIET)] } })
    metrics.count('ingest', { outcome: 'stored' })
    metrics.count('ingest', { outcome: 'stored' }, 2)
    metrics.count('ingest', { outcome: 'rejected' })
    const address = { service: jidOf('pubsub.montague.example'), node: 'do"gs' }
    await addNode(ctx.index, { address, kind: 'community', now: ctx.clock() })
    await updateNode(ctx.index, address, { readAt: Date.parse('2026-03-14T11:59:00Z') })
    const row = { account: JULIET, formKey: 'a', kind: 'post', task: '{}' } as const
    const createdAt = new Date('2026-03-14T11:58:00Z')
    await addOutboxRow(ctx.state, { ...row, createdAt, address: { ...address, item: asItemId('a') } })
    const text = await metrics.write()
    for (const line of [
      'canto_ingest_total{outcome="stored"} 3',
      'canto_ingest_total{outcome="rejected"} 1',
      'canto_connections{account="people",status="online"} 1',
      'canto_node_lag_seconds{node="xmpp:pubsub.montague.example?;node=do%22gs",status="open"} 60',
      'canto_outbox_rows{kind="post",status="waiting"} 1',
      'canto_outbox_oldest_seconds 120',
      'canto_naive_catch_up_round_trips 16',
    ]) {
      assert.ok(text.includes(`\n${line}\n`), `${line} in ${text}`)
    }
    ctx.site.setStatus('waiting')
    assert.match(await metrics.write(), /^canto_connections\{account="site",status="waiting"\} 1$/m)
  })
})
