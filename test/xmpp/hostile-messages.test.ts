import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Element } from 'ltx'
import { createArchive } from '#server/xmpp/archive.ts'
import { writeMessage } from '#server/xmpp/messages.ts'
import { NS } from '#shared/ns.ts'
import { createElement as el, parseXml } from '#shared/xml.ts'
import { jidOf } from '#test/support/context.ts'

const CHANNEL = jidOf('room@mix.example')

function result(queryid: string, id: string, from: string = CHANNEL): Element {
  const message = el(
    'message',
    { xmlns: NS.CLIENT, type: 'groupchat', id, from: `${CHANNEL}/abc` },
    el('body', {}, 'Hark'),
  )
  const forwarded = el(
    'forwarded',
    { xmlns: NS.FORWARD },
    el('delay', { xmlns: NS.DELAY, stamp: '2026-01-02T03:04:05Z' }),
    message,
  )
  return el('message', { xmlns: NS.CLIENT, from }, el('result', { xmlns: NS.MAM, queryid, id }, forwarded))
}

/** What a page of the archive has after these stanzas came. */
async function read(send: (handle: (stanza: Element) => boolean, queryid: string) => void) {
  const archive = createArchive(async (_type, _to, query) => {
    send(archive.handle, String(query?.attrs.queryid))
    return el('iq', {}, el('fin', { xmlns: NS.MAM, complete: 'true' }))
  })
  return archive.read(CHANNEL)
}

describe('an archive', () => {
  it('gives no more than one asks for, however much it sends', async () => {
    const { messages } = await read((handle, queryid) => {
      for (let n = 0; n < 5_000; n++) handle(result(queryid, `m${n}`))
    })
    assert.equal(messages.length, 250)
  })

  it('is believed for nothing that nobody asked for, or that another sends', async () => {
    const { messages } = await read((handle, queryid) => {
      assert.equal(handle(result(queryid, 'a', 'mallory@evil.example')), false)
      assert.equal(handle(result('another', 'b')), false)
      assert.equal(handle(result(queryid, 'c')), true)
    })
    assert.deepEqual(
      messages.map(({ id }) => id),
      ['c'],
    )
  })
})

describe('a message that is sent', () => {
  it('is XML whatever is in it, for a stream ends at what is not', () => {
    const body = 'a\u0001b\u0000c\ud800d</body><iq/>'
    const stanza = writeMessage({ to: CHANNEL, type: 'chat', id: 'x\u0002', body, thread: '\u0003t' })
    const read = parseXml(stanza.toString())
    assert.equal(read?.getChildText('body'), 'abc\ufffdd</body><iq/>')
    assert.equal(read?.getChildText('thread'), 't')
    assert.equal(read?.attrs.id, 'x')
  })
})
