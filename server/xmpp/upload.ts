import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { NS } from '#shared/ns.ts'
import type { Services, UploadFile, UploadSlot } from './ports.ts'
import type { Ask } from './requests.ts'
import { isLoopback, readService } from './targets.ts'

export interface UploadDeps {
  readonly ask: Ask
  readonly readServices: () => Promise<Services>
  /** The configured service of the session: one on loopback may be written to without TLS, on loopback. */
  readonly service: string | undefined
}

/** XEP-0363 §5: only these may come from the server, for it chooses what we send to whom. */
const ALLOWED_HEADERS: ReadonlyMap<string, { readonly name: string; readonly join: string }> = new Map([
  ['authorization', { name: 'Authorization', join: ', ' }],
  ['cookie', { name: 'Cookie', join: '; ' }],
  ['expires', { name: 'Expires', join: ', ' }],
])
const MAX_URL = 4096
const MAX_HEADER = 8192

/** Asks the account's server for a place to put `file` (XEP-0363 §5). */
export async function requestUploadSlot(deps: UploadDeps, file: UploadFile): Promise<UploadSlot> {
  const { upload } = await deps.readServices()
  if (upload === undefined) throw new AppError('not-implemented', 'Your XMPP server takes no files')
  if (upload.maxSize !== undefined && file.size > upload.maxSize) throw tooLarge(upload.maxSize)
  const request = new Element('request', {
    xmlns: NS.UPLOAD,
    filename: file.name,
    size: String(file.size),
    'content-type': file.type,
  })
  const answer = await deps.ask('get', upload.jid, request)
  const slot = answer.getChild('slot', NS.UPLOAD)
  const put = slot?.getChild('put')
  const mayBePlain = deps.service !== undefined && isLoopback(readService(deps.service).host)
  return {
    put: readUrl(put?.attrs.url, mayBePlain),
    get: readUrl(slot?.getChild('get')?.attrs.url, mayBePlain),
    headers: readHeaders(put),
  }
}

function tooLarge(maxSize: number): AppError {
  const kilobytes = Math.floor(maxSize / 1024)
  return new AppError('too-large', `Your XMPP server takes files of ${kilobytes} kB at most: choose a smaller one`)
}

function readUrl(value: unknown, mayBePlain: boolean): string {
  const url = typeof value === 'string' && value.length <= MAX_URL && URL.canParse(value) ? new URL(value) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && mayBePlain && isLoopback(hostOf(url)))
  // Somebody's name and password in it would be sent, and shown to every reader.
  if (url === undefined || !isSafe || url.username !== '' || url.password !== '') {
    throw new AppError('unavailable', 'Your XMPP server offers no safe place for this file')
  }
  return url.href
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function readHeaders(put: Element | undefined): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const element of put?.getChildren('header') ?? []) {
    const allowed = ALLOWED_HEADERS.get(
      withoutNewlines(String(element.attrs.name ?? ''))
        .trim()
        .toLowerCase(),
    )
    const value = withoutNewlines(element.getText())
    if (allowed === undefined || value.length > MAX_HEADER) continue
    const before = headers[allowed.name]
    headers[allowed.name] = before === undefined ? value : `${before}${allowed.join}${value}`
  }
  return headers
}

// No other control character makes a header either.
function withoutNewlines(text: string): string {
  return text.replace(/\p{Cc}/gu, '')
}
