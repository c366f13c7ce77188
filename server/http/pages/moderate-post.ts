import { isModerator } from '#server/feeds/owners.ts'
import type { Person } from '#server/people/people.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { postPath } from '#shared/paths.ts'
import type { PostPageView } from '#web/views.ts'
import type { Web } from '../web.ts'

/** What who looks after the comments of a post can do with them all, and how others tell who runs the site. */
export async function viewModeratePost(
  { ctx, tokens }: Web,
  post: PostRow,
  person: Person | undefined,
): Promise<Pick<PostPageView, 'moderation' | 'reportUrl'>> {
  const path = postPath({ domain: ctx.siteDomain }, post.address)
  const isAuthor = person !== undefined && post.author?.jid === person.jid && post.credit !== 'unverified'
  const mayClose = person !== undefined && (isAuthor || (await isModerator(ctx, person.jid, post.address)))
  if (!mayClose || post.comments === undefined) return isAuthor ? {} : { reportUrl: `${path}/report` }
  const isClosed = (await findClosedThread(ctx.state, post.address)) !== undefined
  return {
    moderation: { action: `${path}/thread`, token: tokens.issue(person), isClosed, moderationUrl: '/moderation' },
    ...(!isAuthor && { reportUrl: `${path}/report` }),
  }
}
