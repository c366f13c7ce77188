import { microblog } from '#shared/profiles/index.ts'
import { writeXml } from '#shared/xml.ts'
import { jidOf } from '#test/support/context.ts'
import { type RigServer, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { makePost } from './posts.ts'
import { rateOf } from './rate.ts'
import { openRawClient } from './raw-client.ts'
import type { Benchmark } from './run.ts'

const POSTS = 1000
const NODE = 'urn:xmpp:microblog:0'

/** Posts of an account with an empty blog on an ejabberd of its own. */
async function withBlog(work: (server: RigServer, user: string) => Promise<number>): Promise<number> {
  await using rig = await useRig({ servers: ['ejabberd'], own: true })
  const server = rig.ejabberd
  await server.register('juliet', 'password of juliet')
  await using session = openTestSession(server, 'juliet')
  await session.whenOnline(30_000)
  await session.pubsub.createNode({ service: session.jid, node: NODE }, microblog.config)
  return await work(server, 'juliet')
}

const publishing: Benchmark = {
  name: 'publishing to ejabberd, against the same stanzas written raw',
  unit: 'posts/s',
  measure: () =>
    withBlog(async (server, user) => {
      await using session = openTestSession(server, user)
      await session.whenOnline(30_000)
      const service = jidOf(`${user}@${server.domain}`)
      const posts = Array.from({ length: POSTS }, (_, number) => makePost(number))
      return await rateOf(POSTS, () =>
        Promise.all(posts.map(({ address, payload }) => session.pubsub.publishItem({ ...address, service }, payload))),
      )
    }),
  limit: () =>
    withBlog(async (server, user) => {
      using client = await openRawClient(server, user)
      const stanzas = Array.from({ length: POSTS }, (_, number) => {
        const { address, payload } = makePost(number)
        return `<iq type='set' id='raw-${number}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${NODE}'><item id='${address.item}'>${writeXml(payload)}</item></publish></pubsub></iq>`
      })
      return await rateOf(POSTS, async () => {
        client.write(stanzas.join(''))
        await client.see(/<iq[^>]*id='raw-\d+'/g, POSTS)
      })
    }),
}

export const benchmarks = [publishing]
