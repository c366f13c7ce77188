import type { FastifyReply } from 'fastify'
import { findAuthor } from '#server/store/author.ts'
import { notifiesByMessage } from '#server/store/notification.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { blogPath } from '#shared/paths.ts'
import type { Notice } from '#web/views.ts'
import { languagesWith } from '../languages.ts'
import { findOwnBlog } from '../shown.ts'
import type { Web } from '../web.ts'
import { describeConsent } from './consent.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { asSentence } from './post-view.ts'
import { viewRoomSettings } from './room-settings.ts'

export interface SettingsFields {
  readonly title: string
  readonly description: string
  readonly name: string
  readonly language: string
}

export interface SettingsPage {
  readonly fields?: SettingsFields
  /** What was, just now. */
  readonly saved?: 'messages' | 'names' | undefined
  readonly problem?: string
  readonly row?: OutboxRow
  readonly status?: number
}

export async function sendSettingsPage(web: Web, exchange: Exchange, page: SettingsPage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Settings need a person')
  const blog = await findOwnBlog(ctx, person)
  const { title = '', description = '', language = '' } = page.fields ?? blog
  const author = await findAuthor(ctx.state, person.jid)
  return sendPage(web, exchange, {
    name: 'settings',
    status: page.status,
    head: { title: 'Settings', noindex: true, notices: [...describe(page), ...describeConsent(author?.consent)] },
    view: {
      token: tokens.issue(person),
      ...{ action: '/settings', signoutAction: '/signout', jid: person.jid, draftsUrl: '/drafts' },
      ...(person.isBlogger && { moderationUrl: '/moderation' }),
      ...(ctx.config.operators.includes(person.jid) && { reportsUrl: '/reports' }),
      name: page.fields?.name ?? person.name,
      ...(person.isBlogger
        ? { blog: { title, description, language, url: blogPath({ domain: ctx.siteDomain }, person.jid) } }
        : {}),
      languages: languagesWith(language),
      messages: { action: '/settings/messages', isOn: await notifiesByMessage(ctx.state, person.jid) },
      ...(await viewRoomSettings(web, person)),
    },
  })
}

function describe({ saved, problem, row }: SettingsPage): Notice[] {
  if (problem !== undefined) return [{ lead: 'Not saved.', text: problem, kind: 'error' }]
  if (row?.status === 'refused')
    return [{ lead: 'Not saved.', text: asSentence(row.problem ?? 'Your server refused it'), kind: 'error' }]
  if (row !== undefined) {
    return [{ lead: 'Waiting.', text: asSentence(row.problem ?? 'Your server has not answered yet'), kind: 'waiting' }]
  }
  if (saved === undefined) return []
  return [{ lead: 'Saved.', text: saved === 'names' ? 'Your readers see it now.' : '' }]
}
