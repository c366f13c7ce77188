import { Parser } from 'htmlparser2'
import { cleanLine, escapeXml } from './text.ts'

/** A feed in a list of them (OPML 2.0); `xmppUri` is a convention of ours, for what no web address leads to. */
export interface Outline {
  readonly title: string
  readonly xmppUri?: string
  readonly xmlUrl?: string
  readonly htmlUrl?: string
}

const TITLE_LENGTH = 300
const URL_LENGTH = 8_192

/** The outlines of a document that name a feed, however deep, and no more than `most`. Never throws. */
export function readOpml(text: string, most: number): Outline[] {
  const outlines: Outline[] = []
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (outlines.length >= most || name.toLowerCase() !== 'outline') return
        const read = (wanted: string) => {
          // Programs spell these in any case.
          const value = Object.entries(attributes)
            .find(([key]) => key.toLowerCase() === wanted)?.[1]
            .trim()
          return value === undefined || value === '' || value.length > URL_LENGTH ? undefined : value
        }
        const xmppUri = read('xmppuri')
        const xmlUrl = read('xmlurl')
        const htmlUrl = read('htmlurl')
        if (xmppUri === undefined && xmlUrl === undefined && htmlUrl === undefined) return
        const title = cleanLine(read('text') ?? read('title') ?? '', TITLE_LENGTH)
        outlines.push({ title, ...(xmppUri && { xmppUri }), ...(xmlUrl && { xmlUrl }), ...(htmlUrl && { htmlUrl }) })
      },
    },
    { xmlMode: true },
  )
  parser.end(text)
  return outlines
}

/** For feed readers and other Cantos to import. */
export function writeOpml(title: string, outlines: readonly Outline[]): string {
  const lines = outlines.map(({ title: text, xmlUrl, htmlUrl, xmppUri }) => {
    const attributes = { type: 'rss', text, xmlUrl, htmlUrl, xmppUri }
    const written = Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}="${escapeXml(value)}"`,
    )
    return `<outline ${written.join(' ')}/>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
<head><title>${escapeXml(title)}</title></head>
<body>
${lines.join('\n')}
</body>
</opml>
`
}
