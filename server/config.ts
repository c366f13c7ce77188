import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import * as read from './config-values.ts'
import { AppError } from './errors.ts'

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
  readonly title: string
}

export interface LocalConfig {
  readonly domain: BareJid
  readonly xmppPort: number
  readonly httpPort: number
  readonly siteAccount: BareJid
  readonly firstBlogger: BareJid
}

const VARIABLES = {
  CANTO_URL: read.readSiteUrl,
  CANTO_HOST: read.readText,
  CANTO_PORT: read.readPort,
  CANTO_DATA: read.readText,
  CANTO_DATABASE_URL: read.readText,
  CANTO_XMPP_JID: read.readAccount,
  CANTO_XMPP_PASSWORD: read.readText,
  CANTO_XMPP_SERVICE: read.readService,
  CANTO_SIGNIN_DOMAINS: read.readDomains,
  CANTO_BLOGGERS: read.readList(read.readAddress),
  CANTO_OPERATORS: read.readList(read.readAccount),
  CANTO_PROXY: read.readList(read.readProxy),
  CANTO_TITLE: read.readText,
  CANTO_LOCAL_XMPP_PORT: read.readPort,
  CANTO_LOCAL_HTTP_PORT: read.readPort,
  CANTO_LOCAL_DOMAIN: read.readDomain,
} as const

type Values = { [K in keyof typeof VARIABLES]?: (typeof VARIABLES)[K] extends read.ReadValue<infer T> ? T : never }
type Env = Readonly<Record<string, string | undefined>>

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

function readValues(settings: Env, mistakes: string[]): Values {
  const values: Record<string, unknown> = {}
  for (const [name, text = ''] of Object.entries(settings)) {
    // Passwords may begin or end with a space.
    const trimmed = name === 'CANTO_XMPP_PASSWORD' ? text : text.trim()
    if (!name.startsWith('CANTO_') || name.startsWith('CANTO_TEST_') || trimmed === '') continue
    if (!Object.hasOwn(VARIABLES, name)) {
      mistakes.push(`${name} is not a setting of Canto (.env.example lists them all)`)
      continue
    }
    const result = VARIABLES[name as keyof typeof VARIABLES](trimmed)
    if ('mistake' in result) mistakes.push(`${name} ${result.mistake}`)
    else values[name] = result.value
  }
  return values as Values
}

function findContradictions(values: Values): string[] {
  const found: string[] = []
  if (values.CANTO_DATABASE_URL !== undefined) {
    found.push('CANTO_DATABASE_URL cannot be used yet: leave it out, and Canto keeps SQLite files in CANTO_DATA')
  }
  if (values.CANTO_XMPP_JID !== undefined && values.CANTO_XMPP_PASSWORD === undefined) {
    found.push(`CANTO_XMPP_PASSWORD is missing: the password of ${values.CANTO_XMPP_JID}`)
  }
  for (const name of ['CANTO_XMPP_PASSWORD', 'CANTO_XMPP_SERVICE'] as const) {
    if (values[name] !== undefined && values.CANTO_XMPP_JID === undefined) {
      found.push(`${name} is set but CANTO_XMPP_JID is not, or is wrong: the account of the site`)
    }
  }
  const ports = portsOf(values)
  if (new Set(ports).size < ports.length) {
    found.push(`CANTO_PORT, CANTO_LOCAL_XMPP_PORT and CANTO_LOCAL_HTTP_PORT must differ, but are ${ports.join(', ')}`)
  }
  return found
}

function portsOf(values: Values): number[] {
  const web = values.CANTO_PORT ?? 8080
  if (values.CANTO_XMPP_JID !== undefined) return [web]
  return [web, values.CANTO_LOCAL_XMPP_PORT ?? 5322, values.CANTO_LOCAL_HTTP_PORT ?? 5380]
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
    title: values.CANTO_TITLE ?? 'Canto',
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
