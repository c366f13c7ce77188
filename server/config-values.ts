import ipaddr from 'ipaddr.js'
import { type BareJid, localPart, readBareJid } from '#shared/jid.ts'
import type { LogFormat } from './log.ts'
import { type Bound, type BoundName, USUAL_BOUNDS } from './store/keeps.ts'

/** Reads one variable: the value, or a sentence that completes "NAME …". */
export type ReadValue<T> = (text: string) => { readonly value: T } | { readonly mistake: string }

const value = <T>(read: T): { value: T } => ({ value: read })
const mistake = (words: string): { mistake: string } => ({ mistake: words })

export const readText: ReadValue<string> = (text) => value(text)

export const readLogFormat: ReadValue<LogFormat> = (text) =>
  text === 'text' || text === 'json' ? value(text) : mistake(`is "${text}", but must be text or json`)

/** A token as it stands behind `Bearer` (RFC 6750 §2.1), too long to be guessed. */
export const readToken: ReadValue<string> = (text) =>
  /^[A-Za-z0-9._~+/-]{20,}=*$/.test(text)
    ? value(text)
    : mistake('must have 20 or more letters and digits and no spaces: openssl rand -hex 32 makes one')

export const readPort: ReadValue<number> = (text) => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? value(port) : mistake(`is "${text}", but must be a port from 1 to 65535`)
}

export const readSiteUrl: ReadValue<URL> = (text) => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return mistake(`is "${text}", but must be an address such as https://blog.example`)
  }
  if (url.username !== '' || url.password !== '') return mistake('must not contain a user name or password')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return mistake(`is "${text}", but must be a host alone: Canto cannot live under a path`)
  }
  return value(url)
}

export const readService: ReadValue<string> = (text) => {
  const url = URL.parse(text)
  if (url === null || url.hostname === '' || !/^(xmpps?|wss?):$/.test(url.protocol)) {
    return mistake(`is "${text}", but must be like xmpp://host:port, xmpps://host:port or wss://host/path`)
  }
  if (url.protocol === 'ws:' && !isLoopbackHost(url.hostname)) {
    return mistake(`is "${text}": an unencrypted WebSocket is only allowed on this machine, use wss://`)
  }
  return value(text)
}

export const readAccount: ReadValue<BareJid> = (text) => {
  const jid = text.includes('/') ? undefined : readBareJid(text)
  return jid !== undefined && localPart(jid) !== undefined
    ? value(jid)
    : mistake(`is "${text}", but must be an account's address such as canto@xmpp.example`)
}

export const readDomain: ReadValue<BareJid> = (text) => {
  const jid = /[@/]/.test(text) ? undefined : readBareJid(text)
  return jid === undefined ? mistake(`is "${text}", but must be a domain such as xmpp.example`) : value(jid)
}

/** JIDs of accounts or domains. */
export const readAddress: ReadValue<BareJid> = (text) => {
  const jid = text.includes('/') ? undefined : readBareJid(text)
  return jid === undefined ? mistake(`has "${text}", which is neither an account nor a domain`) : value(jid)
}

export const readProxy: ReadValue<string> = (text) =>
  ipaddr.isValid(text) || ipaddr.isValidCIDR(text)
    ? value(text)
    : mistake(`has "${text}", which is no IP address or range such as 127.0.0.1 or 10.0.0.0/8`)

export const readDomains: ReadValue<'*' | BareJid[]> = (text) =>
  text === '*' ? value('*') : readList(readDomain)(text)

/** Several values between commas or spaces; every wrong one is named. */
export function readList<T>(readOne: ReadValue<T>): ReadValue<T[]> {
  return (text) => {
    const read = text
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map(readOne)
    const mistakes = read.flatMap((one) => ('mistake' in one ? [one.mistake] : []))
    if (mistakes.length > 0) return mistake(mistakes.join(', and '))
    return value(read.flatMap((one) => ('value' in one ? [one.value] : [])))
  }
}

/** `drafts=200/20MB`: what an account may keep of one kind. */
export const readKeep: ReadValue<readonly [BoundName, Bound]> = (text) => {
  const match = /^([a-z]+)=(\d{1,9})\/(\d{1,6})MB$/i.exec(text)
  const name = Object.keys(USUAL_BOUNDS).find((known): known is BoundName => known === match?.[1])
  if (match === null || name === undefined) {
    return mistake(
      `has "${text}", but must be like drafts=200/20MB, for any of ${Object.keys(USUAL_BOUNDS).join(', ')}`,
    )
  }
  return value([name, { rows: Number(match[2]), bytes: Number(match[3]) * 1_000_000 }] as const)
}

/** Whether a host name can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback'
}
