import { listBlogs } from '#server/store/blog.ts'
import { blogPath } from '#shared/paths.ts'
import { escapeXml } from '#shared/text.ts'
import type { AppContext } from './context.ts'
import { listSiteAuthors } from './places.ts'
import { blogTitle } from './shown.ts'

/** The site's blogs, for feed readers to import (OPML 2.0). */
export async function writeOpml(deps: Pick<AppContext, 'config' | 'state' | 'index' | 'siteDomain'>): Promise<string> {
  const { config, index, siteDomain } = deps
  const blogs = await listBlogs(index, await listSiteAuthors(deps))
  const outlines = blogs
    .filter(({ status }) => status === 'open')
    .map((blog) => {
      const page = new URL(blogPath({ domain: siteDomain }, blog.author.jid), config.url).href
      const [text, feed, html] = [blogTitle(blog), `${page}/atom.xml`, page].map(escapeXml)
      return `<outline type="rss" text="${text}" xmlUrl="${feed}" htmlUrl="${html}"/>`
    })
  return `<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
<head><title>${escapeXml(config.title)}</title></head>
<body>
${outlines.join('\n')}
</body>
</opml>
`
}
