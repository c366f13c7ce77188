import { Marked, Tokenizer, type TokenizerAndRendererExtension, type Tokens } from 'marked'
import markedFootnote from 'marked-footnote'
import { writeXmppUri } from './address.ts'
import type { BareJid } from './jid.ts'
import { findMentionStart, readMention } from './mentions.ts'
import { escapeXml } from './text.ts'

const LONGEST = 500_000
// The patterns of inline Markdown look ahead, at worst to the end of the paragraph at every step: a paragraph of
// nothing but `_` takes the square of its length. A million characters looked at take 1 to 5 ms.
const LOOKING = { least: 20_000_000, perCharacter: 180 }
// A mark whose end is nowhere is compared with every mark behind it, which costs as much as looking so often.
const MARKS = 60
// A row is filled up to as many cells as its table's head has, and every use of a reference repeats its address.
const CELLS = 100_000
const REPEATED = 2_000_000
// Marks of footnotes, each of which costs as much as 200 words.
const NOTES = { least: 200, perCharacter: 1 / 30, most: 4000 }
const TOO_COSTLY = [
  // Each level takes the whole rest apart again. Nobody nests so deep; a rule of many dashes is no nesting.
  /^(?:[ \t]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?>){24}/m,
  /^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){24}.*[^\s>*+-]/m,
  /^[ \t]{100,}(?:[-*+>]|\d{1,9}[.)])[ \t]/m,
  // Which of the marks behind an address belong to it takes the square of their number to find out.
  /[?!.,:;*_'"~()&]{500}/,
]
const FOOTNOTE_HEADING = /<h2 id="fn-label">[^<]*<\/h2>\n/

/**
 * Markdown (GFM with footnotes) to HTML that nobody may print yet: `markup.ts` cleans it. Undefined where the text is
 * too long, too deep or too costly to be a post.
 */
export function convertMarkdown(markdown: string, { isComment = false } = {}): string | undefined {
  if (markdown.length > LONGEST || TOO_COSTLY.some((pattern) => pattern.test(markdown))) return undefined
  const notes = Math.min(NOTES.most, NOTES.least + markdown.length * NOTES.perCharacter)
  if (markdown.split('[^', notes + 1).length > notes) return undefined
  try {
    // The heading has no words in the language of the post; the list is known by its place.
    return createMarked(markdown.length, isComment).parse(markdown, { async: false }).replace(FOOTNOTE_HEADING, '')
  } catch {
    return undefined
  }
}

// One for each text: the footnote extension keeps what it found until it has rendered it.
function createMarked(length: number, isComment: boolean): Marked {
  const spendLooking = createBudget(LOOKING.least + length * LOOKING.perCharacter)
  const spendCells = createBudget(CELLS)
  const spendRepeated = createBudget(REPEATED)
  const marked = new Marked({ gfm: true, breaks: isComment })
  marked.use(markedFootnote({ prefixId: 'fn-', headingClass: '', footnoteDivider: true }))
  if (isComment) marked.use({ renderer: { html: ({ text }) => escapeXml(text) } })
  marked.use({ extensions: [createMention()] })
  marked.use({
    // `false` leaves the work to marked itself.
    renderer: {
      checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
      link: ({ href, title }) => spendRepeated(href.length + (title?.length ?? 0)),
      image: ({ href, title }) => spendRepeated(href.length + (title?.length ?? 0)),
    },
    tokenizer: {
      // The first that is tried at every step.
      escape: (src) => spendLooking(src.length),
      emStrong(src, masked, before) {
        const token = Tokenizer.prototype.emStrong.call(this, src, masked, before)
        if (token === undefined && begins(this.rules.inline.emStrongLDelim, src)) spendLooking(MARKS * src.length)
        return token
      },
      del(src, masked, before) {
        const token = Tokenizer.prototype.del.call(this, src, masked, before)
        if (token === undefined && begins(this.rules.inline.delLDelim, src)) spendLooking(MARKS * src.length)
        return token
      },
      table(src) {
        const [, head = '', , rows = ''] = this.rules.block.table.exec(src) ?? []
        return spendCells(head.split('|').length * rows.split('\n').length)
      },
    },
  })
  return marked
}

/** Whether a mark may begin here: its pattern has found what stands behind it. */
function begins(mark: RegExp, src: string): boolean {
  return mark.exec(src)?.slice(1).some(Boolean) ?? false
}

/** `@romeo@montague.example`, which is no e-mail address. */
function createMention(): TokenizerAndRendererExtension {
  const findStart = createMentionSearch()
  return {
    name: 'mention',
    level: 'inline',
    start: (src) => findStart(src),
    tokenizer(src) {
      const mention = this.lexer.state.inLink ? undefined : readMention(src)
      if (mention === undefined) return undefined
      return { type: 'mention', raw: src.slice(0, mention.length), jid: mention.jid }
    },
    renderer: ({ raw, jid }) =>
      `<a href="${escapeXml(writeXmppUri({ service: jid as BareJid }))}">${escapeXml(raw)}</a>`,
  }
}

/** It is asked for the rest of the same text at every step: searched once as far as the next mention. */
function createMentionSearch(): (src: string) => number | undefined {
  let searched = ''
  let left = -1
  return (src) => {
    if (left > src.length || !searched.endsWith(src)) {
      const at = findMentionStart(src)
      searched = src
      left = at < 0 ? -1 : src.length - at
    }
    return left < 0 ? undefined : src.length - left
  }
}

function createBudget(amount: number): (cost: number) => false {
  let left = amount
  return (cost) => {
    left -= cost
    if (left < 0) throw new RangeError('Markdown that costs too much')
    return false
  }
}
