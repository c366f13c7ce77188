import type { Person } from '#server/people/people.ts'
import { type BlogRow, feedKey, listFeeds } from '#server/store/blog.ts'
import { listPublicSubscriptions } from '#server/store/public-subscription.ts'
import { type NodeAddress, writeXmppUri } from '#shared/address.ts'
import { localPart } from '#shared/jid.ts'
import { sayAddress } from '#shared/look-alike.ts'
import { nodePath } from '#shared/paths.ts'
import type { FollowButtonView, ListedView } from '#web/views.ts'
import { blogTitle } from '../shown.ts'
import type { Web } from '../web.ts'

const MOST = 50

/** What somebody who is signed in presses on the page of a feed. */
export function viewFollowButton(
  { ctx, tokens }: Web,
  person: Person,
  { blog, isFollowed }: { blog: BlogRow; isFollowed: boolean },
): FollowButtonView {
  return {
    token: tokens.issue(person),
    action: isFollowed ? '/following/unfollow' : '/following',
    uri: writeXmppUri(blog.address),
    isFollowed,
    next: nodePath({ domain: ctx.siteDomain }, blog.address),
  }
}

/** What its owner lets everybody know that they follow: with a page here, or by its address on XMPP. */
export async function viewPublicFollows({ ctx }: Web, blog: BlogRow): Promise<ListedView[]> {
  const listed = await listPublicSubscriptions(ctx.index, blog.author.jid, MOST)
  const feeds = await listFeeds(
    ctx.index,
    listed.map(({ address }) => address),
  )
  return listed.map(({ address, title }) => {
    const known = feeds.get(feedKey(address))
    return {
      title: (known?.status === 'open' ? blogTitle(known) : undefined) ?? title ?? shortAddress(address),
      url: known?.status === 'open' ? nodePath({ domain: ctx.siteDomain }, address) : writeXmppUri(address),
    }
  })
}

/** Of a blog the account, of any other node its service and name. */
export function shortAddress({ service, node }: NodeAddress): string {
  const address = sayAddress(service)
  return localPart(service) === undefined ? `${address} ${node}` : address
}
