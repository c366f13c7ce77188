import { Marked, type Tokens } from 'marked'
import markedFootnote from 'marked-footnote'

// Emphasis is looked for once per delimiter, to the end of its paragraph: a paragraph of nothing but `_` takes the
// square of its length. Past this many characters looked through, a document has no more emphasis.
const EMPHASIS_BUDGET = 40_000_000
const LONGEST = 1_000_000
const FOOTNOTE_HEADING = /<h2 id="fn-label">[^<]*<\/h2>\n/

/**
 * Markdown (GFM with footnotes) to HTML that nobody may print yet: `markup.ts` cleans it. Undefined where the text is
 * too long or too deep to be Markdown.
 */
export function convertMarkdown(markdown: string): string | undefined {
  if (markdown.length > LONGEST) return undefined
  try {
    // The heading has no words in the language of the post; the list is named by its place.
    return createMarked().parse(markdown, { async: false }).replace(FOOTNOTE_HEADING, '')
  } catch {
    return undefined
  }
}

// One for each text: the footnote extension keeps what it found until it has rendered it.
function createMarked(): Marked {
  let budget = EMPHASIS_BUDGET
  const marked = new Marked({ gfm: true, silent: false })
  marked.use(markedFootnote({ prefixId: 'fn-', headingClass: '', footnoteDivider: true }))
  marked.use({
    renderer: { checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ ') },
    tokenizer: {
      emStrong(src) {
        if (!/^[*_]/.test(src)) return false
        budget -= src.length
        return budget < 0 ? undefined : false
      },
    },
  })
  return marked
}
