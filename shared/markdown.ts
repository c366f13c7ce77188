import { Marked, type TokenizerAndRendererExtension, type Tokens } from 'marked'
import markedFootnote from 'marked-footnote'
import { writeXmppUri } from './address.ts'
import type { BareJid } from './jid.ts'
import { findMentionStart, readMention } from './mentions.ts'
import { escapeXml } from './text.ts'

const LONGEST = 500_000
// The patterns of inline Markdown look ahead, at worst to the end of the paragraph at every step: a paragraph of
// nothing but `_` takes the square of its length. This many characters looked at take about half a second.
const LOOKING = 100_000_000
// A row is filled up to as many cells as its table's head has, and every use of a reference repeats its address.
const CELLS = 100_000
const REPEATED = 2_000_000
const NOTES = 4000
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
  if (markdown.split('[^', NOTES + 1).length > NOTES) return undefined
  try {
    // The heading has no words in the language of the post; the list is known by its place.
    return createMarked(isComment).parse(markdown, { async: false }).replace(FOOTNOTE_HEADING, '')
  } catch {
    return undefined
  }
}

// One for each text: the footnote extension keeps what it found until it has rendered it.
function createMarked(isComment: boolean): Marked {
  const spendLooking = createBudget(LOOKING)
  const spendCells = createBudget(CELLS)
  const spendRepeated = createBudget(REPEATED)
  const marked = new Marked({ gfm: true, breaks: isComment })
  marked.use(markedFootnote({ prefixId: 'fn-', headingClass: '', footnoteDivider: true }))
  if (isComment) marked.use({ renderer: { html: ({ text }) => escapeXml(text) } })
  marked.use({ extensions: [MENTION] })
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
      table(src) {
        const [, head = '', , rows = ''] = this.rules.block.table.exec(src) ?? []
        return spendCells(head.split('|').length * rows.split('\n').length)
      },
    },
  })
  return marked
}

/** `@romeo@montague.example`, which is no e-mail address. */
const MENTION: TokenizerAndRendererExtension = {
  name: 'mention',
  level: 'inline',
  start(src) {
    const at = findMentionStart(src)
    return at < 0 ? undefined : at
  },
  tokenizer(src) {
    const mention = this.lexer.state.inLink ? undefined : readMention(src)
    if (mention === undefined) return undefined
    return { type: 'mention', raw: src.slice(0, mention.length), jid: mention.jid }
  },
  renderer: ({ raw, jid }) => `<a href="${escapeXml(writeXmppUri({ service: jid as BareJid }))}">${escapeXml(raw)}</a>`,
}

function createBudget(amount: number): (cost: number) => false {
  let left = amount
  return (cost) => {
    left -= cost
    if (left < 0) throw new RangeError('Markdown that costs too much')
    return false
  }
}
