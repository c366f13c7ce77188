import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createTestFolder } from '../support/folder.ts'
import { startProduct } from '../support/product.ts'
import { useRig } from '../support/rig.ts'
import { startSlixmpp } from '../support/slixmpp.ts'
import { createWebClient } from '../support/web-client.ts'

describe('one account that is both the site and its blogger', () => {
  for (const kind of ['ejabberd', 'prosody'] as const) {
    it(`publishes to its own node on ${kind}, and the doctor warns of its chats`, async () => {
      await using rig = await useRig()
      await using folder = await createTestFolder()
      const server = rig[kind]
      const [user, reader] = [`both-${randomUUID().slice(0, 8)}`, `reader-${randomUUID().slice(0, 8)}`]
      const jid = `${user}@${server.domain}`
      await writeFile(folder.file('ca.pem'), server.certificate)
      for (const name of [user, reader]) await server.register(name, `password of ${name}`)
      await using product = await startProduct({
        CANTO_XMPP_JID: jid,
        CANTO_XMPP_PASSWORD: `password of ${user}`,
        CANTO_XMPP_SERVICE: server.service,
        NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
      })
      const web = createWebClient(() => product.url)
      await web.signIn(jid, `password of ${user}`)
      const answer = await web.submit('/write', '/write', { title: 'Alone', text: 'One account.', action: 'publish' })
      assert.equal(answer.status, 303)
      const path = answer.headers.get('location') ?? ''
      assert.match(await (await web.get(path)).text(), /One account\./)
      await using other = await startSlixmpp({
        ...server,
        jid: `${reader}@${server.domain}`,
        password: `password of ${reader}`,
      })
      const items = await other.items({ service: jid, node: 'urn:xmpp:microblog:0' })
      assert.equal(items.filter(({ payload }) => payload?.includes('One account.')).length, 1)
      const words = await product.canto('doctor').catch((error: Error) => error.message)
      assert.match(words, /may take its chats/)
    })
  }
})
