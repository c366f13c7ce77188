import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { openBrowser } from '#test/support/browser.ts'
import { startSampleSite } from './sample-site.ts'

/** `node test/web/contact-sheet.ts [NAME…]`: pictures of sample pages, and of all of them together, in test/out/. */
const OUT = join(import.meta.dirname, '../out')
const WIDTHS = [360, 768, 1280]
const SCHEMES = ['light', 'dark'] as const
const names = process.argv.slice(2)

await using site = await startSampleSite()
await using browser = await openBrowser()
const wanted = [...site.samples.keys()].filter((name) => names.length === 0 || names.includes(name))
if (names.length === 0) await rm(OUT, { recursive: true, force: true })
await mkdir(OUT, { recursive: true })
for (const scheme of SCHEMES) for (const width of WIDTHS) await takePictures(browser, scheme, width)
await takeSheet(browser)
console.log(`${wanted.length * WIDTHS.length * SCHEMES.length} pictures and sheet.png are in ${OUT}`)

async function takePictures(from: Browser, colorScheme: 'light' | 'dark', width: number): Promise<void> {
  const context = await from.newContext({ colorScheme, viewport: { width, height: 800 }, timezoneId: 'UTC' })
  const page = await context.newPage()
  for (const name of wanted) {
    await page.goto(`${site.url}/${name}`, { waitUntil: 'load' })
    await page.screenshot({ path: join(OUT, `${name}-${width}-${colorScheme}.png`), fullPage: true })
  }
  await context.close()
}

async function takeSheet(from: Browser): Promise<void> {
  const page = await from.newPage({ viewport: { width: 2000, height: 800 } })
  const columns = SCHEMES.flatMap((scheme) => WIDTHS.map((width) => `${width}-${scheme}`))
  const rows = await Promise.all(
    wanted.map(async (name) => {
      const cells = columns.map(async (column) => {
        const picture = await readFile(join(OUT, `${name}-${column}.png`), 'base64')
        return `<td><div><img src="data:image/png;base64,${picture}"></div>`
      })
      return `<tr><th>${name}${(await Promise.all(cells)).join('')}`
    }),
  )
  const style =
    'body{background:#888;font:16px sans-serif}td>div{height:420px;overflow:hidden}td{width:16%;vertical-align:top}img{width:100%}'
  await page.setContent(`<!doctype html><style>${style}</style><table>${rows.join('')}</table>`)
  await writeFile(join(OUT, 'sheet.png'), await page.screenshot({ fullPage: true }))
}
