import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { blogTopic, type LiveEvent, postTopic } from '#server/feeds/live.ts'
import type { Person } from '#server/people/people.ts'
import { listPosts } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { listRestrictedAmong } from '#server/store/restricted-node.ts'
import { addressKey, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import type { LiveSource } from '../live-stream.ts'
import type { FeedParams, PostParams } from '../places.ts'
import { FEED_PATHS, readFeedParams, readPostParams } from '../places.ts'
import { listThreadNodes, mayReadRestricted, readerOf } from '../readable.ts'
import { findAccess, requireFeed, requirePost } from '../shown.ts'
import { watchUnread } from '../unread.ts'
import { PAGE_POSTS, readPostVersion, writeListVersion } from '../versions.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

/** After a blog's or a post's address: its server-sent events. No item id looks like this word. */
export const LIVE = 'live.events'

// A HEAD of them would never end.
const options = { exposeHeadRoute: false }

/** Server-sent events for open pages. */
export function addLive(app: FastifyInstance, web: Web): void {
  const { ctx, streams } = web
  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams }>(`${feed}/:item/${LIVE}`, options, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const { person } = await readVisit(web, request)
      const source = await watchPost(web, await requirePost(ctx, address, person), person)
      streams.open(request, reply, source, ...watchUnread(ctx, person))
    })

    app.get<{ Params: FeedParams }>(`${feed}/${LIVE}`, options, async (request, reply) => {
      const address = readFeedParams(ctx, request.params)
      const { person } = await readVisit(web, request)
      const { status } = await requireFeed(ctx, address, person)
      const isPublicOnly = (await findAccess(ctx, address, person)) === 'stranger'
      const isRestricted = status === 'restricted'
      const readVersion = async () => {
        // A blog that was closed meanwhile ends the streams that its readers share.
        await requireFeed(ctx, address, isRestricted ? person : undefined)
        const { rows } = await listPosts(ctx.index, {
          scope: { kind: 'blog', address, isPublicOnly, isPermitted: isRestricted && !isPublicOnly },
          limit: PAGE_POSTS,
        })
        return writeListVersion(rows)
      }
      const view = isPublicOnly ? 'public' : isRestricted ? person?.jid : 'all'
      const concerns = () => !isRestricted || (person !== undefined && mayReadRestricted(ctx, person.jid, address))
      const source = { topic: blogTopic(address), view, concerns, readVersion }
      streams.open(request, reply, source, ...watchUnread(ctx, person))
    })
  }
}

/** A post and what is said about it. Readers share a stream as long as everybody may read all of it. */
async function watchPost(
  { ctx }: Web,
  { address, comments }: PostRow,
  person: Person | undefined,
): Promise<LiveSource> {
  const nodes = [address, ...listThreadNodes({ address, comments })]
  const listRestricted = async () => (await listRestrictedAmong(ctx.index, nodes)).map(nodeKey).sort()
  const restricted = await listRestricted()
  const isShared = restricted.length === 0
  const mayHearOf = (node: NodeAddress) =>
    !restricted.includes(nodeKey(node)) || (person !== undefined && mayReadRestricted(ctx, person.jid, node))

  return {
    topic: postTopic(address),
    view: isShared ? undefined : (person?.jid ?? 'visitor'),
    concerns: (event) => mayHearOf(address) && mayHearOf(nodeOf(event, address)),
    readVersion: async () => {
      if (!isDeepStrictEqual(await listRestricted(), restricted))
        throw new AppError('forbidden', 'Others may read it now.')
      await requireFeed(ctx, address, isShared ? undefined : person)
      const post = await requirePost(ctx, address, person)
      return readPostVersion(ctx, post, isShared ? undefined : readerOf(ctx, person, post))
    },
  }
}

/** The node with what an event under a post tells of; the blog itself where it may be any. */
function nodeOf(event: LiveEvent, post: ItemAddress): NodeAddress {
  if (!('address' in event)) return post
  return event.kind === 'reaction-changed' ? attachmentsOf(event.address) : event.address
}

function nodeKey({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}
