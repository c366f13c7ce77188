import type { FastifyReply } from 'fastify'
import { readTask } from '#server/feeds/task.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { listOutbox } from '#server/store/outbox.ts'
import { postPath } from '#shared/paths.ts'
import { shorten } from '#shared/text.ts'
import type { SentDraft } from '../sent-drafts.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewWaiting } from './post-view.ts'

const KINDS: Record<OutboxRow['kind'], string> = {
  post: 'Post',
  delete: 'Deletion of a post',
  comment: 'Comment',
  'remove-comment': 'Removal of a comment',
  settings: 'Title and name',
  relink: 'New web address',
  follow: 'Following',
  unfollow: 'No longer following',
  community: 'New community',
  block: 'Who may write in a community',
  'public-follows': 'Public list of what you follow',
  react: 'Reaction',
  'restore-comment': 'Comment that you restored',
  'close-thread': 'Opening or closing of a thread',
  room: 'Room',
  'room-member': 'Joining or leaving of a room',
  'room-message': 'Message in a room',
  announce: 'Announcement in a room',
}

export async function sendDraftsPage(web: Web, exchange: Exchange, kept: readonly SentDraft[]): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Drafts need a person')
  const site = { domain: ctx.siteDomain }
  const rows = await listOutbox(ctx.state, person.jid)
  return sendPage(web, exchange, {
    name: 'drafts',
    head: { title: 'Drafts', noindex: true },
    view: {
      token: tokens.issue(person),
      writeUrl: '/write',
      // What waits is in the outbox, as it was sent.
      drafts: kept
        .filter(({ row }) => row?.status !== 'waiting')
        .map(({ draft }) => {
          const query = new URLSearchParams({ draft: draft.id })
          const post = draft.edits && postPath(site, draft.edits)
          return {
            url: post === undefined ? `/write?${query}` : `${post}/edit?${query}`,
            title: draft.title.trim() || beginningOf(draft.text) || 'No title',
            savedAt: draft.updatedAt.toISOString(),
            ...(post === undefined ? {} : { edits: post }),
            deleteAction: `/drafts/${encodeURIComponent(draft.id)}/delete`,
          }
        }),
      outbox: rows.map((row) => ({
        title: titleOf(row),
        ...(row.kind === 'post' ? { url: postPath(site, row.address) } : {}),
        waiting: viewWaiting(row),
        ...(row.status !== 'waiting'
          ? { dropAction: `/outbox/${row.id}/drop` }
          : { retryAction: `/outbox/${row.id}/retry` }),
      })),
    },
  })
}

function titleOf(row: OutboxRow): string {
  const task = readTask(row)
  if (task.kind === 'post') return task.draft.title || beginningOf(task.draft.text)
  return task.kind === 'comment' ? `${KINDS.comment}: ${beginningOf(task.text)}` : KINDS[row.kind]
}

function beginningOf(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  return shorten(line, 80)
}
