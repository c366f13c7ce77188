import { domainOf } from '#shared/jid.ts'
import * as read from './config-values.ts'

/** Every setting, and how its text is read. */
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
  CANTO_METRICS_TOKEN: read.readToken,
  CANTO_TITLE: read.readText,
  CANTO_LOG: read.readLogFormat,
  CANTO_KEEPS: read.readList(read.readKeep),
  CANTO_LOCAL_XMPP_PORT: read.readPort,
  CANTO_LOCAL_HTTP_PORT: read.readPort,
  CANTO_LOCAL_DOMAIN: read.readDomain,
} as const

export type Values = {
  [K in keyof typeof VARIABLES]?: (typeof VARIABLES)[K] extends read.ReadValue<infer T> ? T : never
}
export type Env = Readonly<Record<string, string | undefined>>

/** The values that are right; each that is not adds to `mistakes`. */
export function readValues(settings: Env, mistakes: string[]): Values {
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

/** What is right alone and wrong together. */
export function findContradictions(values: Values): string[] {
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
  const home =
    values.CANTO_XMPP_JID === undefined ? (values.CANTO_LOCAL_DOMAIN ?? 'localhost') : domainOf(values.CANTO_XMPP_JID)
  for (const name of values.CANTO_BLOGGERS ?? []) {
    // A word alone is a domain to XMPP, and never what anybody meant, unless it is the site's own.
    if (!/[.@:]/.test(name) && name !== home) found.push(`CANTO_BLOGGERS names "${name}": write ${name}@${home}`)
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
