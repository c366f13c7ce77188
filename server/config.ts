import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { type Env, findContradictions, readValues, type Values } from './config-variables.ts'
import { AppError } from './errors.ts'
import type { LogFormat } from './log.ts'
import type { Bounds } from './store/keeps.ts'

/** The account that publishes the first post of a local site. */
const FIRST_BLOGGER = 'blogger'
/** The site account on the local server. */
const SITE_ACCOUNT = 'canto'

export interface Config {
  readonly url: URL
  /** Whether the operator chose `url`: links in posts to an address nobody can reach are left out. */
  readonly isUrlSet: boolean
  readonly host: string
  readonly port: number
  /** Absolute path of the data folder. */
  readonly data: string
  /** Where fetched programs are kept: in `data`, but tests share one. */
  readonly cache: string
  /** Unset while the local server runs. */
  readonly xmpp?: { readonly jid: BareJid; readonly password: string; readonly service?: string }
  readonly isLocal: boolean
  readonly local: LocalConfig
  readonly signinDomains: '*' | readonly BareJid[]
  /** Accounts, or domains all of whose accounts may publish here. */
  readonly bloggers: readonly BareJid[]
  readonly operators: readonly BareJid[]
  /** Addresses and ranges of reverse proxies. */
  readonly proxies: readonly string[]
  /** With it `/metrics` may be read from anywhere. */
  readonly metricsToken?: string
  readonly title: string
  readonly logFormat: LogFormat
  /** Bounds for one account, where they differ from the usual. */
  readonly keeps: Bounds
}

export interface LocalConfig {
  readonly domain: BareJid
  readonly xmppPort: number
  readonly httpPort: number
  readonly siteAccount: BareJid
  readonly firstBlogger: BareJid
}

/** The configuration of this process: its environment, and beneath that `.env` in the working folder. */
export function loadConfig(): Config {
  return readConfig(process.env, readDotenv('.env'))
}

/** Throws one AppError that names every mistake. `dotenv` is the text of a `.env` file; `env` wins over it. */
export function readConfig(env: Env, dotenv = ''): Config {
  const settings: Env = { ...parseEnv(dotenv), ...withoutEmpty(env) }
  const mistakes: string[] = []
  const values = readValues(settings, mistakes)
  mistakes.push(...findContradictions(values))
  if (mistakes.length > 0) throw new AppError('bad-request', describeMistakes(mistakes))
  return { ...assembleConfig(values), ...(settings.CANTO_TEST_CACHE ? { cache: settings.CANTO_TEST_CACHE } : {}) }
}

export function mayBlog(config: Config, jid: BareJid): boolean {
  return config.bloggers.includes(jid) || config.bloggers.includes(domainOf(jid))
}

export function isOperator(config: Config, jid: BareJid): boolean {
  return config.operators.includes(jid)
}

/** Accounts of the sign-in domains, and whoever was named as blogger or operator. */
export function maySignIn(config: Config, jid: BareJid): boolean {
  if (config.signinDomains === '*' || config.signinDomains.includes(domainOf(jid))) return true
  return mayBlog(config, jid) || isOperator(config, jid)
}

function assembleConfig(values: Values): Config {
  const port = values.CANTO_PORT ?? 8080
  const local = assembleLocal(values)
  const isLocal = values.CANTO_XMPP_JID === undefined
  const data = resolve(values.CANTO_DATA ?? './data')
  const site = values.CANTO_XMPP_JID ?? local.siteAccount
  const bloggers = values.CANTO_BLOGGERS ?? [isLocal ? local.domain : site]
  return {
    url: values.CANTO_URL ?? new URL(`http://localhost:${port}`),
    isUrlSet: values.CANTO_URL !== undefined,
    host: values.CANTO_HOST ?? '127.0.0.1',
    port,
    data,
    cache: join(data, 'cache'),
    ...(isLocal ? {} : { xmpp: assembleXmpp(values, site) }),
    isLocal,
    local,
    signinDomains: values.CANTO_SIGNIN_DOMAINS ?? [domainOf(site)],
    bloggers,
    operators: values.CANTO_OPERATORS ?? firstBloggerOf(bloggers, isLocal ? local.firstBlogger : undefined),
    proxies: values.CANTO_PROXY ?? [],
    metricsToken: values.CANTO_METRICS_TOKEN,
    title: values.CANTO_TITLE ?? 'Canto',
    logFormat: values.CANTO_LOG ?? 'text',
    keeps: Object.fromEntries(values.CANTO_KEEPS ?? []),
  }
}

function assembleXmpp(values: Values, jid: BareJid): NonNullable<Config['xmpp']> {
  const service = values.CANTO_XMPP_SERVICE
  return { jid, password: values.CANTO_XMPP_PASSWORD ?? '', ...(service === undefined ? {} : { service }) }
}

function assembleLocal(values: Values): LocalConfig {
  const domain = values.CANTO_LOCAL_DOMAIN ?? ('localhost' as BareJid)
  return {
    domain,
    xmppPort: values.CANTO_LOCAL_XMPP_PORT ?? 5322,
    httpPort: values.CANTO_LOCAL_HTTP_PORT ?? 5380,
    siteAccount: accountOf(SITE_ACCOUNT, domain),
    firstBlogger: values.CANTO_BLOGGERS?.find((jid) => isAccountOf(domain, jid)) ?? accountOf(FIRST_BLOGGER, domain),
  }
}

function accountOf(name: string, domain: BareJid): BareJid {
  return readBareJid(`${name}@${domain}`) as BareJid
}

function isAccountOf(domain: BareJid, jid: BareJid): boolean {
  return localPart(jid) !== undefined && domainOf(jid) === domain
}

function firstBloggerOf(bloggers: readonly BareJid[], first: BareJid | undefined): BareJid[] {
  const named = bloggers.find((jid) => localPart(jid) !== undefined)
  const operator = named ?? first
  return operator === undefined ? [] : [operator]
}

function describeMistakes(mistakes: readonly string[]): string {
  const lead =
    mistakes.length === 1 ? 'The configuration has a mistake' : `The configuration has ${mistakes.length} mistakes`
  return `${lead}:\n${mistakes.map((words) => `  - ${words}`).join('\n')}`
}

function withoutEmpty(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([, text]) => text !== undefined && text !== ''))
}

function readDotenv(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new AppError('internal', `Cannot read ${resolve(path)}: ${(cause as Error).message}`, { cause })
  }
}
