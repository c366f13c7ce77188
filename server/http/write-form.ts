import { randomUUID } from 'node:crypto'
import { AppError, explainTooLong } from '#server/errors.ts'
import type { Draft } from '#server/store/draft.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { Picture, PostDraft } from '#shared/entry.ts'
import { isPictureType, isWebAddress, readDraft } from '#shared/entry.ts'
import type { BareJid } from '#shared/jid.ts'
import { trimmedLines } from '#shared/text.ts'
import { parseXml } from '#shared/xml.ts'
import { readNodeUri } from './community-paths.ts'

/** The write form as browsers send it. */
export interface WriteFields {
  readonly token?: string
  readonly key?: string
  readonly base?: string
  readonly title?: string
  readonly text?: string
  readonly tags?: string
  readonly language?: string
  readonly summary?: string
  readonly comments?: string
  readonly action?: string
  /** The `xmpp:` URI of the community that it is for. */
  readonly to?: string
  /** How many pictures the form shows: of each it has `href-N`, `type-N`, `alt-N` and perhaps `drop-N`. */
  readonly pictures?: string
  /** What the picture that comes with the form shows. */
  readonly 'picture-alt'?: string
}

const text = { type: 'string' } as const
// What the feeds room makes of a key (after a refusal) has spaces.
const KEY_PATTERN = '^[A-Za-z0-9_ -]{8,200}$'

export const writeFieldsSchema = {
  type: 'object',
  properties: {
    ...{ token: text, base: text, title: text, text, tags: text, language: text, summary: text, comments: text },
    ...{ to: text, pictures: text },
    key: { type: 'string', pattern: KEY_PATTERN },
    action: { type: 'string', enum: ['publish', 'preview', 'draft', 'picture'] },
  },
} as const

const LONGEST_TITLE = 1_000
const MOST_TAGS = 50
/** Length of a language tag with every useful part (RFC 5646 §4.4.1). */
const LONGEST_LANGUAGE = 35
export const MOST_PICTURES = 20
const LONGEST_ALT = 1_000

export function createFormKey(): string {
  return randomUUID()
}

/** What the form holds, to be kept as a draft of its owner. */
export function readWriteForm(
  fields: WriteFields,
  { jid, edits, now }: { jid: BareJid; edits?: ItemAddress | undefined; now: Date },
): Draft {
  const base = fields.base === undefined ? undefined : new Date(fields.base)
  return {
    id: fields.key ?? createFormKey(),
    jid,
    title: oneLine(fields.title ?? ''),
    // Browsers send line ends as CRLF.
    text: (fields.text ?? '').replaceAll('\r\n', '\n'),
    tags: oneLine(fields.tags ?? ''),
    language: (fields.language ?? '').slice(0, LONGEST_LANGUAGE),
    summary: oneLine(fields.summary ?? ''),
    comments: fields.comments !== undefined,
    to: edits === undefined ? readNodeUri(fields.to) : undefined,
    pictures: readPictureFields(fields),
    updatedAt: now,
    ...(edits === undefined ? {} : { edits }),
    ...(base === undefined || Number.isNaN(base.getTime()) ? {} : { baseUpdated: base }),
  }
}

/** The post that a form asks to publish; bad-request for what no post can be. */
export function readPostDraft({ title, text, tags, language, summary, comments, pictures }: Draft): PostDraft {
  if (title.trim() === '' && text.trim() === '' && !pictures?.length)
    throw new AppError('bad-request', 'Write a text first.')
  if (title.length > LONGEST_TITLE)
    throw new AppError('bad-request', explainTooLong('The title', title.length, LONGEST_TITLE))
  return { title: title.trim(), text, tags: readTags(tags), language, summary: summary.trim(), comments, pictures }
}

// Arabic and East Asian keyboards have their own.
const COMMA = /[,،、，]/

/** Tags as people type them: by commas or by `#`, each once whatever its case. */
export function readTags(typed: string): string[] {
  const words = typed.split(COMMA.test(typed) ? COMMA : /\s+/).map((tag) => tag.trim().replace(/^#+/, '').trim())
  const found = new Map<string, string>()
  for (const word of words) {
    const key = word.normalize('NFC').toLowerCase()
    if (word !== '' && !found.has(key)) found.set(key, word.slice(0, 100))
  }
  return [...found.values()].slice(0, MOST_TAGS)
}

function oneLine(typed: string): string {
  return /[\r\n]/.test(typed) ? trimmedLines(typed).join(' ') : typed
}

/** Those that the form shows and its writer keeps. */
function readPictureFields(fields: WriteFields): readonly Picture[] | undefined {
  if (fields.pictures === undefined) return undefined
  const read = (name: string) => (fields as Readonly<Record<string, string | undefined>>)[name] ?? ''
  return Array.from({ length: Math.min(Number(fields.pictures) || 0, MOST_PICTURES) }, (_, n) => ({
    href: read(`href-${n}`),
    type: read(`type-${n}`),
    alt: oneLine(read(`alt-${n}`))
      .trim()
      .slice(0, LONGEST_ALT),
    isDropped: read(`drop-${n}`) !== '',
  }))
    .filter(({ href, type, isDropped }) => !isDropped && isPictureType(type) && isWebAddress(href))
    .map(({ href, type, alt }) => ({ href, type, alt }))
}

/** A published post as its author edits it. */
export function openPost(
  post: PostRow,
  { id, jid, isGallery, now }: { id: string; jid: BareJid; isGallery: boolean; now: Date },
): Draft {
  const payload = parseXml(post.payload)
  if (payload === undefined) throw new AppError('internal', 'This post cannot be edited here.')
  const { title, text, tags, language, summary, comments, pictures = [] } = readDraft(payload)
  return {
    ...{ id, jid, title, text, language, summary, comments, tags: tags.join(', ') },
    edits: post.address,
    ...(isGallery ? { pictures } : {}),
    baseUpdated: post.updated,
    updatedAt: now,
  }
}
