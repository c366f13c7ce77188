import type { ItemAddress, NodeAddress } from './address.ts'
import type { Picture, PostDraft } from './entry.ts'
import type { SafeHtml } from './markup.ts'
import { cleanLine, withoutLastWord } from './text.ts'

/** The post that a repost repeats. */
export interface RepostOf {
  readonly via: ItemAddress
  /** The atom:id of the original. */
  readonly atomId?: string
  /** What its author is called, as a claim: their own node has the last word. */
  readonly name?: string
  /** Where its comments are, repeated so that the discussion stays one (XEP-0277 §3.4). */
  readonly comments?: NodeAddress
}

/** What a post is shared with. */
export interface Sharing {
  readonly of: RepostOf
  readonly title: string
  readonly html: SafeHtml
  readonly tags: readonly string[]
  readonly language?: string
  readonly pictures: readonly Picture[]
  /** Its page on the web, or its `xmpp:` address. */
  readonly url: string
  /** What who shares it says, if anything. */
  readonly words: string
}

const QUOTED = 800

/**
 * A repost: a line that says whose it is, for clients that take every post for its publisher's, and what they wrote;
 * with words of one's own it is a quotation, and they come after it (XEP-0472 §5.6).
 */
export function createRepostDraft({ of, html, url, words, ...post }: Sharing): PostDraft {
  const line = `Shared from ${writeLink(of.name ?? 'another blog', url)}:`
  const tag = words.trim() === '' ? 'div' : 'blockquote'
  const own = words.trim() === '' ? '' : `\n\n${words.trim()}`
  return {
    title: cleanLine(post.title, 300),
    text: `${line}\n\n${asBlock(html, tag)}${own}`,
    tags: post.tags,
    language: post.language ?? '',
    summary: '',
    comments: of.comments !== undefined,
    ...(post.pictures.length > 0 && { pictures: post.pictures }),
    repost: of,
  }
}

/** The beginning of a post as a quotation in Markdown, with a link to it. */
export function writeQuote({ text, title, name, url }: { text: string; title: string; name?: string; url: string }) {
  const passage = text.length > QUOTED ? `${withoutLastWord(text.slice(0, QUOTED).toWellFormed())} …` : text
  const lines = passage.split('\n').map((line) => `> ${escapeMarkdown(line)}`)
  const by = name === undefined ? '' : `${escapeMarkdown(cleanLine(name, 200))}: `
  return `${lines.join('\n>\n')}\n>\n> — ${by}${writeLink(cleanLine(title, 200) || url, url)}\n\n`
}

function writeLink(text: string, url: string): string {
  return `[${escapeMarkdown(cleanLine(text, 200))}](<${url.replace(/[<>\\\s]/gu, encodeURIComponent)}>)`
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+.!<>|~&@:-]/g, '\\$&')
}

// Markdown takes a block of HTML as it is up to the next empty line.
function asBlock(html: string, tag: string): string {
  return `<${tag}>\n${html.replace(/\n(?=[ \t]*\n)/g, '&#10;')}\n</${tag}>`
}
