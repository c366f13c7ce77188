// One life of a writer, for kill.test.ts: each line on stdin is the key of a form, and its answer follows on stdout
// when the row is stored. It is killed at any moment.
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { addAuthor } from '#server/feeds/authors.ts'
import { createDomainServices } from '#server/feeds/domain-services.ts'
import { createLive } from '#server/feeds/live.ts'
import { createOutbox, queuePost } from '#server/feeds/outbox.ts'
import { silentLogger } from '#server/log.ts'
import { noMeters } from '#server/meters.ts'
import { openIndex, openState } from '#server/store/database.ts'
import { openSession } from '#server/xmpp/session.ts'
import type { BareJid } from '#shared/jid.ts'
import { jidOf } from '#test/support/context.ts'

const [folder = '', service = '', account = '', password = ''] = process.argv.slice(2)
const jid = jidOf(account)
const session = openSession({
  jid,
  service,
  credentials: () => ({ password }),
  userAgentId: randomUUID(),
  isSite: false,
  log: silentLogger,
})
const index = await openIndex(`${folder}/index.sqlite`)
const state = await openState(`${folder}/state.sqlite`)
const sessions = (asked: BareJid) => (asked === jid ? session : undefined)
const deps = {
  ...{ index, state, sessions, live: createLive(), log: silentLogger, meters: noMeters, clock: () => new Date() },
  ...{
    siteDomain: jidOf(account.split('@')[1] ?? ''),
    services: createDomainServices({ site: session, clock: () => new Date() }),
    config: { url: new URL('https://blog.example'), isUrlSet: true },
  },
}
const outbox = createOutbox(deps)
await session.whenOnline(30_000)
await addAuthor(deps, jid)
await outbox.start()
process.stdout.write('ready\n')
for await (const key of createInterface({ input: process.stdin })) {
  const draft = { title: `Post ${key}`, text: 'A *text*', tags: [], language: 'en', summary: '', comments: true }
  const { address } = await queuePost({ ...deps, outbox }, { author: jid, key, draft })
  process.stdout.write(`${key} ${address.item}\n`)
}
