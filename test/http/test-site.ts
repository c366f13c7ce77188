import { tmpdir } from 'node:os'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { readConfig } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import { createHealthCheck } from '#server/health.ts'
import { createApp } from '#server/http/app.ts'
import type { AppContext } from '#server/http/context.ts'
import type { Metrics } from '#server/metrics.ts'
import type { OpenSession } from '#server/people/accounts.ts'
import { createPeople } from '#server/people/people.ts'
import type { TestContext, TestContextOptions } from '#test/support/context.ts'
import { createTestContext } from '#test/support/context.ts'

/** The whole web side over a fake network, and browsers for it. */
export interface TestSite extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly ctx: TestContext
  readonly people: AppContext['people']
  browser(): TestBrowser
  failNextSignIn(error: AppError): void
  /** A browser that is signed in; everybody's password is `secret`. */
  signedIn(jid: string): Promise<TestBrowser>
}

export interface TestBrowser {
  readonly cookies: Map<string, string>
  send(
    method: 'GET' | 'POST',
    url: string,
    payload?: string,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>
  get(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  post(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  /** Fills in and sends the form of a page whose action ends like this, with its hidden fields. */
  submit(page: string, action: string, fields: Record<string, string>): Promise<LightMyRequestResponse>
}

export interface TestSiteOptions extends TestContextOptions {
  readonly env?: Record<string, string>
  readonly metrics?: Metrics
  /** Until the test sets it online. */
  readonly isSiteOffline?: boolean
  readonly isPublicAddress?: AppContext['isPublicAddress']
  readonly pollMs?: number
}

export async function createTestSite(options: TestSiteOptions = {}): Promise<TestSite> {
  const ctx = await createTestContext(options)
  if (options.isSiteOffline) ctx.site.setStatus('connecting')
  const config = readConfig({
    CANTO_URL: 'https://blog.example',
    CANTO_DATA: tmpdir(),
    CANTO_XMPP_JID: 'canto@capulet.example',
    CANTO_XMPP_PASSWORD: 'secret',
    CANTO_BLOGGERS: 'capulet.example',
    CANTO_SIGNIN_DOMAINS: 'capulet.example,montague.example',
    ...options.env,
  })
  const { secret } = ctx
  let failure: AppError | undefined
  const openSession: OpenSession = ({ jid, credentials }) => {
    const session = ctx.signIn(jid)
    const whenOnline = async () => {
      if (failure !== undefined) throw failure
      if ((await credentials()).password !== 'secret') throw new AppError('not-authorized', 'not-authorized')
    }
    return Object.assign(session, { whenOnline, invalidateToken: async () => {} })
  }
  const people = createPeople({
    ...{ config, secret, openSession, state: ctx.state, siteDomain: ctx.siteDomain, clock: ctx.clock, log: ctx.log },
    onSignIn: async (jid) => {
      if (config.bloggers.some((blogger) => jid.endsWith(blogger))) await addAuthor(ctx, jid)
    },
  })
  await ctx.outbox.start()
  await ctx.proofs.start()
  const app = await createApp({
    ...ctx,
    config,
    secret,
    people,
    readHealth: createHealthCheck(ctx),
    ...(options.metrics && { meters: options.metrics, metrics: options.metrics }),
    isPublicAddress: options.isPublicAddress,
    pollMs: options.pollMs,
  })
  const browser = () => createTestBrowser(app)
  return {
    ...{ app, ctx, people, browser },
    failNextSignIn: (error) => {
      failure = error
    },
    async signedIn(jid) {
      const opened = browser()
      const page = await opened.get('/signin')
      const answer = await opened.submit(page.body, '/signin', { jid, password: 'secret' })
      if (answer.statusCode !== 303) throw new Error(`Not signed in: ${answer.body}`)
      return opened
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await people.stop()
      await ctx[Symbol.asyncDispose]()
    },
  }
}

/** A browser without scripts, that keeps its cookies. */
export function createTestBrowser(app: FastifyInstance): TestBrowser {
  const cookies = new Map<string, string>()

  async function send(method: 'GET' | 'POST', url: string, payload?: string, headers: Record<string, string> = {}) {
    const answer = await app.inject({
      method,
      url,
      headers: { accept: 'text/html', ...(payload === undefined ? {} : FORM), ...headers },
      cookies: Object.fromEntries(cookies),
      ...(payload === undefined ? {} : { payload }),
    })
    for (const { name, value } of answer.cookies) {
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  const post: TestBrowser['post'] = (url, fields, headers) =>
    send('POST', url, new URLSearchParams(fields).toString(), headers)
  return {
    cookies,
    send,
    get: async (url, headers) => {
      const answer = await send('GET', url, undefined, headers)
      const { location = '' } = answer.headers
      // A new form is asked for by an address of its own.
      return url === '/write' && location.startsWith('/write?') ? send('GET', location, undefined, headers) : answer
    },
    post,
    submit: (page, action, fields) => {
      const form = readForms(page).find((found) => found.action.endsWith(action))
      if (form === undefined) throw new Error(`There is no form ${action} in ${page}`)
      return post(form.action, { ...form.fields, ...fields })
    },
  }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

function readForms(page: string): { action: string; fields: Record<string, string> }[] {
  return [...page.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].map(
    ([, action = '', body = '']) => ({
      action: decodeHtml(action),
      fields: Object.fromEntries(
        [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
          name,
          decodeHtml(value),
        ]),
      ),
    }),
  )
}

function decodeHtml(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}
