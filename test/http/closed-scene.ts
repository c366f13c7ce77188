import { addFollow } from '#server/store/follow.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { postPath } from '#shared/paths.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { jidOf } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { commentsLink, entryOf, itemOf, ROMEO, xml } from '../feeds/fixtures.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

export const OWNER = jidOf('benvolio@montague.example')
export const MERCUTIO = jidOf('mercutio@capulet.example')
export const TYBALT = jidOf('tybalt@capulet.example')
export const BLOG: NodeAddress = { service: OWNER, node: NS.MICROBLOG }
export const COMMENTS: NodeAddress = { service: OWNER, node: 'urn:xmpp:microblog:0:comments/ball' }
export const POST = itemOf(BLOG, 'ball')
export const ATTACHMENTS = attachmentsOf(POST)
export const POST_WORDS = 'The masked ball'
export const COMMENT_WORDS = 'Whispered words'

/** A blog whose comments and reactions are for contacts; Romeo and Mercutio are, and Tybalt follows it too. */
export interface ClosedScene extends AsyncDisposable {
  readonly site: TestSite
  readonly path: string
  readonly romeo: TestBrowser
  readonly mercutio: TestBrowser
  readonly tybalt: TestBrowser
  sessionOf(jid: BareJid): FakeSession
  post(item: string): Promise<void>
  comment(by: BareJid, item: string, words?: string): Promise<void>
  react(by: BareJid, emoji: string): Promise<void>
}

/** With `isListening`, over real sockets. */
export async function createClosedScene(options: {
  readonly isBlogOpen?: boolean
  readonly areCommentsOpen?: boolean
  readonly isListening?: boolean
}): Promise<ClosedScene> {
  const site = await createTestSite()
  const { ctx } = site
  ctx.setNow('2026-03-01T12:00:00Z')
  ctx.site.contacts.add(OWNER)
  const owner = ctx.network.pubsubOf(OWNER)
  const closed = { access_model: 'presence', publish_model: 'open', max_items: 'max' }
  await owner.createNode(BLOG, { access_model: options.isBlogOpen ? 'open' : 'presence', max_items: 'max' })
  const said = options.areCommentsOpen ? { ...closed, access_model: 'open' } : closed
  for (const address of [COMMENTS, ATTACHMENTS]) await owner.createNode(address, said)
  for (const address of options.areCommentsOpen ? [] : [BLOG, COMMENTS, ATTACHMENTS])
    for (const jid of [ctx.siteJid, ROMEO, MERCUTIO]) await owner.setAffiliation(address, jid, 'member')
  for (const follower of [ROMEO, MERCUTIO, TYBALT])
    await addFollow(ctx.state, { follower, address: BLOG, since: new Date('2000-01-01') })
  if (options.isBlogOpen) {
    await owner.setAffiliation(BLOG, ctx.siteJid, 'none')
    // Their nodes tell apart what is open by the site’s own affiliation alone.
    ctx.site.contacts.delete(OWNER)
  }
  const post = (item: string) => {
    const more = `${commentsLink(COMMENTS)}<link rel='alternate' type='text/html' href='https://montague.example/ball'/>`
    const payload = entryOf({ title: POST_WORDS, text: POST_WORDS, author: OWNER, more })
    return owner.publishItem(itemOf(BLOG, item), payload)
  }
  await post('ball')
  const [romeo, mercutio, tybalt] = [
    await site.signedIn(ROMEO),
    await site.signedIn(MERCUTIO),
    await site.signedIn(TYBALT),
  ]
  await ctx.indexing.start()
  await ctx.indexing.idle()
  if (options.isListening) await site.app.listen({ port: 0, host: '127.0.0.1' })
  return {
    ...{ site, romeo, mercutio, tybalt, post },
    path: postPath({ domain: ctx.siteDomain }, POST),
    sessionOf: (jid) => ctx.sessions(jid) as FakeSession,
    comment: (by, item, words = COMMENT_WORDS) =>
      ctx.network.pubsubOf(by).publishItem(itemOf(COMMENTS, item), entryOf({ title: words, text: words, author: by })),
    react: (by, emoji) =>
      ctx.network
        .pubsubOf(by)
        .publishItem(
          itemOf(ATTACHMENTS, by),
          xml(
            `<attachments xmlns='urn:xmpp:pubsub-attachments:1'><reactions timestamp='2026-03-01T12:00:00Z'><reaction>${emoji}</reaction></reactions></attachments>`,
          ),
        ),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}
