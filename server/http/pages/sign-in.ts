import type { FastifyReply } from 'fastify'
import type { Config } from '#server/config.ts'
import type { Notice } from '#web/views.ts'
import type { FormNotice } from '../form-guard.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

export interface SignInPage {
  readonly next: string
  readonly notice?: FormNotice
  readonly jid?: string
  readonly status?: number
  readonly problem?: string
}

const NOTICES: Record<FormNotice, Notice> = {
  ended: { lead: 'You were signed out.', text: 'Sign in again, then go on.' },
  kept: {
    lead: 'Your text is kept.',
    text: 'You were signed out before it could be sent. Sign in again to go on with it.',
  },
  'comment-kept': {
    lead: 'Your comment is kept.',
    text: 'You were signed out before it could be sent. Sign in again to send it.',
  },
}

export function sendSignInPage(web: Web, exchange: Exchange, page: SignInPage): Promise<FastifyReply> {
  const { ctx, cookies, tokens } = web
  const { next, notice, status, problem } = page
  const notices = notice !== undefined && Object.hasOwn(NOTICES, notice) ? [NOTICES[notice]] : []
  return sendPage(web, exchange, {
    name: 'signin',
    status,
    head: { title: 'Sign in', noindex: true, notices },
    view: {
      token: tokens.issueToBrowser(cookies.ensureBrowser(exchange.request, exchange.reply)),
      ...{ next, jid: page.jid, problem },
      ...(problem === undefined ? {} : { field: status === 401 || status === 429 ? 'password' : 'jid' }),
      domains: sayDomains(ctx.config),
      example: `juliet@${ctx.siteDomain}`,
    },
  })
}

/** Whose accounts may sign in; undefined for any. */
export function sayDomains({ signinDomains }: Config): string | undefined {
  if (signinDomains === '*') return undefined
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(signinDomains)
}
