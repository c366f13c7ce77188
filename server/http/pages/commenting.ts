import { isSeenModerator } from '#server/feeds/owners.ts'
import { findPlacedDraft } from '#server/people/drafts.ts'
import type { Person } from '#server/people/people.ts'
import { findComment } from '#server/store/comment.ts'
import type { NodeRow } from '#server/store/node.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { writeXmppUri } from '#shared/address.ts'
import { postPath, writeCommentSegment } from '#shared/paths.ts'
import type { CommentFormView, PostPageView } from '#web/views.ts'
import { readerOf } from '../readable.ts'
import { PEOPLE } from '../routes/people.ts'
import { findCommentAddress } from '../thread-comment.ts'
import { readThreadNames } from '../thread-names.ts'
import type { Web } from '../web.ts'
import { createFormKey } from '../write-form.ts'
import type { Exchange } from './page.ts'
import { type VisitorWords, viewVisitorForm } from './proof.ts'
import { sayDomains } from './sign-in.ts'

/** What somebody is about to say under a post. */
export interface Typing {
  readonly post: PostRow
  readonly commentsNode: NodeRow | undefined
  /** The segment of the comment that is answered. */
  readonly reply?: string | undefined
  /** A comment that could not be sent, and why. */
  readonly typed?: string
  readonly problem?: string
  /** What somebody typed who is not signed in. */
  readonly visitor?: VisitorWords['visitor']
}

interface Answering extends Typing {
  /** What stands in the form. */
  readonly text: string | undefined
  readonly path: string
  readonly replyTo: CommentFormView['replyTo']
}

type Commenting = Pick<PostPageView, 'form' | 'howTo' | 'closed'>

/** The form, or how to comment without it, or why nobody can. */
export async function viewCommenting(web: Web, { visit }: Exchange, typing: Typing): Promise<Commenting> {
  const { ctx } = web
  const { post, commentsNode } = typing
  if (post.repost !== undefined) return {}
  if (post.comments === undefined) return { closed: 'This post takes no comments.' }
  const problem = explainThread(commentsNode)
  if (problem !== undefined) return { closed: problem }
  const isClosed = (await findClosedThread(ctx.state, post.address)) !== undefined
  const mayWrite = visit.person !== undefined && (await isSeenModerator(ctx, visit.person.jid, post.address))
  // Who was writing when they were closed gets the text back.
  if (isClosed && !mayWrite && typing.typed === undefined) return { closed: 'The comments are closed.' }
  const path = postPath({ domain: ctx.siteDomain }, post.address)
  const kept =
    visit.person === undefined || typing.typed !== undefined
      ? undefined
      : await findPlacedDraft(ctx.state, visit.person.jid, { kind: 'comment', at: post.address })
  const reply = typing.reply ?? (kept?.answers && writeCommentSegment(kept.answers))
  const cancelUrl = `${path}${kept?.answers === undefined ? '' : '?reply='}#comment`
  const replyTo = await findAnswered(web, visit.person, { post, reply, cancelUrl })
  const answering = { ...typing, text: typing.typed ?? kept?.text, path, replyTo }
  if (visit.person !== undefined) {
    const isRestricted = commentsNode?.status === 'restricted'
    const form = viewForm(web, { ...answering, person: visit.person })
    return { form: { ...form, isRestricted }, ...(isClosed && { closed: 'The comments are closed.' }) }
  }
  const next = new URLSearchParams({ next: `${path}#comment` })
  const domains = sayDomains(ctx.config)
  const howTo = { signinUrl: `/signin?${next}`, xmppUri: writeXmppUri(post.comments), domains }
  // Only an account of the site's own private server could write to it, and its owner can sign in.
  if (ctx.config.isLocal && typing.typed === undefined) return { howTo }
  const visitor = viewVisitorForm(web, answering)
  return { howTo: { ...howTo, visitor, isOffline: visitor === undefined } }
}

// Libervia links to nodes that it then fails to make (peers.md).
function explainThread(node: NodeRow | undefined): string | undefined {
  if (node?.status === 'deleted') return 'Comments are not possible: the place for them is not there.'
  if (node?.status === 'hidden' && node.hiddenFor !== 'emptied')
    return 'Comments are not possible now: the place for them cannot be read.'
  return node?.status === 'closed' ? 'Comments are not possible: the place for them is closed.' : undefined
}

function viewForm(
  { tokens }: Web,
  { person, path, text, problem, replyTo }: Answering & { person: Person },
): CommentFormView {
  const { jid } = person
  return {
    action: `${path}/comments`,
    peopleUrl: `${path}/${PEOPLE}`,
    token: tokens.issue(person),
    key: createFormKey(),
    ...{ jid, text, problem, replyTo },
  }
}

async function findAnswered(
  { ctx }: Web,
  person: Person | undefined,
  { post, reply, cancelUrl }: Pick<Typing, 'post' | 'reply'> & { cancelUrl: string },
): Promise<CommentFormView['replyTo']> {
  const address = reply === undefined ? undefined : await findCommentAddress(ctx, post, reply)
  const answered = address && (await findComment(ctx.index, address, readerOf(ctx, person, address)))
  if (answered === undefined || reply === undefined) return undefined
  const names = await readThreadNames(ctx.index, post, [answered])
  return { name: names.sayWriter(answered), item: reply, cancelUrl }
}
