import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Element, parse } from 'ltx'
import { isAppError } from '#server/errors.ts'
import { readForm } from '#server/xmpp/data-form.ts'
import { readStanzaError } from '#server/xmpp/errors.ts'
import { configureNode, createNode, readConfig } from '#server/xmpp/node-config.ts'
import type { Ask } from '#server/xmpp/requests.ts'
import type { BareJid } from '#shared/jid.ts'

const ADDRESS = { service: 'juliet@capulet.example' as BareJid, node: 'n' }
const FORM = 'http://jabber.org/protocol/pubsub#node_config'

function fieldsOf(request: Element): Record<string, string> {
  const found = request.getChild('configure')?.getChild('x')
  return Object.fromEntries(
    [...readForm(found)].map(([name, { values }]) => [name.replace('pubsub#', ''), values.join('|')]),
  )
}

/** A service that refuses as `judge` says: condition and text. */
function serviceOf(judge: (fields: Record<string, string>) => [condition: string, text: string] | undefined) {
  const asked: Record<string, string>[] = []
  const ask: Ask = async (type, _to, payload) => {
    if (type === 'get') {
      const form = `<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'><value>${FORM}</value></field><field var='pubsub#persist_items' type='boolean'><value>true</value></field><field var='pubsub#notify_delete' type='boolean'><value>0</value></field><field var='pubsub#title' type='text-single'><value>true</value></field><field var='pubsub#children' type='text-multi'><value>a</value><value>b</value></field><field var='other'><value>x</value></field><field/></x>`
      return parse(
        `<iq type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>${form}</configure></pubsub></iq>`,
      )
    }
    const fields = fieldsOf(payload)
    asked.push(fields)
    const refusal = judge(fields)
    if (refusal === undefined) return parse("<iq type='result'/>")
    const [condition, text] = refusal
    const stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
    const error = `<error type='modify'><${condition} ${stanzas}/><text ${stanzas}>${text}</text></error>`
    throw readStanzaError(parse(`<iq type='error'>${error}</iq>`), 'capulet.example')
  }
  return { asked, deps: { ask, to: () => undefined } }
}

describe('the configuration of a node', () => {
  it('is wanted without what the service does not know', async () => {
    const { asked, deps } = serviceOf(({ nonsense, rubbish }) => {
      if (nonsense) return ['resource-constraint', "Unknown field 'pubsub#nonsense'"]
      return rubbish ? ['bad-request', 'rubbish: Invalid boolean representation'] : undefined
    })
    const config = { access_model: 'open', nonsense: '1', rubbish: '1' }
    assert.equal(await createNode(deps, ADDRESS, config), 'created')
    assert.deepEqual(asked.at(-1), { FORM_TYPE: FORM, access_model: 'open' })
  })

  it('is asked for again where a database fails for a moment, and not for ever', async () => {
    let failures = 2
    const { asked, deps } = serviceOf(() =>
      failures-- > 0 ? ['internal-server-error', 'Database failure'] : undefined,
    )
    assert.equal(await createNode(deps, ADDRESS, { access_model: 'open' }), 'created')
    assert.equal(asked.length, 3)
    const broken = serviceOf(() => ['internal-server-error', 'Database failure'])
    await assert.rejects(createNode(broken.deps, ADDRESS, {}), (error) => isAppError(error, 'unavailable'))
    assert.equal(broken.asked.length, 4)
  })

  it('asks for fewer items until the service takes the number', async () => {
    const { asked, deps } = serviceOf(({ max_items }) =>
      max_items === 'max' || Number(max_items) > 1000 ? ['bad-request', 'max_items: out of bounds'] : undefined,
    )
    await configureNode(deps, ADDRESS, { max_items: 'max', access_model: 'open' })
    assert.deepEqual(
      asked.map(({ max_items }) => max_items),
      ['max', '20000', '10000', '1000'],
    )
  })

  it('gives up where the refusal names nothing, and where there is nothing left to leave out', async () => {
    const { asked, deps } = serviceOf(() => ['not-acceptable', 'No.'])
    await assert.rejects(createNode(deps, ADDRESS, { access_model: 'open' }), (error) =>
      isAppError(error, 'bad-request'),
    )
    assert.equal(asked.length, 1)
    const always = serviceOf(() => ['resource-constraint', 'pubsub#access_model is what I do not like'])
    await assert.rejects(createNode(always.deps, ADDRESS, { access_model: 'open' }), (error) =>
      isAppError(error, 'unavailable'),
    )
    assert.equal(always.asked.length, 2)
  })

  it('is not judged by conditions that are about something else', async () => {
    const { deps } = serviceOf(() => ['forbidden', 'pubsub#access_model'])
    await assert.rejects(createNode(deps, ADDRESS, { access_model: 'open' }), (error) => isAppError(error, 'forbidden'))
    const { deps: taken } = serviceOf(() => ['conflict', ''])
    assert.equal(await createNode(taken, ADDRESS, { access_model: 'open' }), 'exists')
  })

  it('is read with booleans of one spelling, and lists of lines', async () => {
    const { deps } = serviceOf(() => undefined)
    assert.deepEqual(await readConfig(deps, ADDRESS), {
      persist_items: '1',
      notify_delete: '0',
      title: 'true',
      children: 'a\nb',
    })
  })
})
