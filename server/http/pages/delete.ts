import type { FastifyReply } from 'fastify'
import type { CommentRow } from '#server/store/comment.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { ItemAddress } from '#shared/address.ts'
import { postPath, writeCommentSegment } from '#shared/paths.ts'
import { readThreadNames } from '../thread-names.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

const FROM_ROOM =
  ' It goes from the room too: everybody there is told that it was taken back. Their programs, and the archive of the room, may keep it.'

export function sendDeletePage(web: Web, exchange: Exchange, post: PostRow): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A question needs a person')
  const path = postPath({ domain: web.ctx.siteDomain }, post.address)
  const comments = post.commentCount === 0 ? '' : ' Its comments go with it.'
  return sendPage(web, exchange, {
    name: 'confirm',
    head: { title: 'Delete a post', noindex: true },
    view: {
      heading: 'Delete this post?',
      text: `“${post.title}” leaves ${post.address.service === person.jid ? 'your blog' : 'the community'} for everybody, and cannot be brought back.${comments}`,
      action: `${path}/delete`,
      token: web.tokens.issue(person),
      button: 'Delete',
      cancelUrl: path,
    },
  })
}

export async function sendRemovePage(
  web: Web,
  exchange: Exchange,
  { post, comment }: { post: ItemAddress; comment: CommentRow },
): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('A question needs a person')
  const path = postPath({ domain: web.ctx.siteDomain }, post)
  const names = await readThreadNames(web.ctx.index, { address: post }, [comment])
  return sendPage(web, exchange, {
    name: 'confirm',
    head: { title: 'Remove a comment', noindex: true },
    view: {
      heading: 'Remove this comment?',
      text: `${names.sayWriter(comment)}: “${comment.text}”${comment.isFromRoom ? FROM_ROOM : ''}`,
      action: `${path}/comments/${writeCommentSegment(comment.address)}/remove`,
      token: web.tokens.issue(person),
      button: 'Remove',
      cancelUrl: `${path}/comments/${writeCommentSegment(comment.address)}`,
    },
  })
}
