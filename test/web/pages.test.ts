import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import type { SamplePages } from './sample-pages.ts'
import { NARROW, openSamplePages, WIDE } from './sample-pages.ts'
import { createSamples } from './sample-views.ts'

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** What depends on the scheme and the width. */
const RULES_OF_LOOK = ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable']
const names = [...createSamples('').keys()]

let pages: SamplePages

before(async () => {
  pages = await openSamplePages()
})
after(() => pages[Symbol.asyncDispose]())

describe('every page and state', () => {
  // Most of the time goes into loading: each page is loaded once, and all of them in one window.
  const flaws: string[] = []
  const light: string[] = []
  const dark: string[] = []

  before(async () => {
    await using page = await pages.open('home', { timezoneId: 'Pacific/Kiritimati' })
    const errors: string[] = []
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('request', (request) => request.url().startsWith(pages.site.url) || errors.push(request.url()))
    await page.addInitScript(recordShifts)
    for (const name of names) {
      const about = (what: string) => `${name}: ${what}`
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize(NARROW)
      await page.goto(`${pages.site.url}/${name}`, { waitUntil: 'load' })
      flaws.push(...[...(await page.evaluate(findFlaws)), ...errors.splice(0)].map(about))
      await page.evaluate(AXE)
      light.push(...(await findViolations(page, RULES)).map(about))
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize(WIDE)
      dark.push(...(await findViolations(page, RULES_OF_LOOK)).map(about))
    }
  })

  it('fits into 360 px, moves nothing while it loads, has targets of 24 px and no error, in zones far away', () => {
    assert.deepEqual(flaws, [])
  })

  it('has nothing that axe reports, light, 360 px wide', () => {
    assert.deepEqual(light, [])
  })

  it('has nothing that axe reports of its look, dark, 1280 px wide', () => {
    assert.deepEqual(dark, [])
  })

  it('is set in Literata, at the sizes of the look', async () => {
    await using page = await pages.open('post')
    const measured = await page.evaluate(async () => {
      await document.fonts.ready
      const loaded = [...document.fonts].filter(({ status }) => status === 'loaded')
      const sizeOf = (selector: string) => getComputedStyle(document.querySelector(selector) as Element).fontSize
      return {
        faces: [...new Set(loaded.map(({ family, style, weight }) => `${family} ${style} ${weight}`))].sort(),
        width: document.querySelector('main')?.getBoundingClientRect().width,
        sizes: ['html', '.text p', 'h1', '.date', '.thread h2', '.site nav a'].map(sizeOf),
      }
    })
    assert.deepEqual(measured.faces, ['Literata italic 400', 'Literata normal 400', 'Literata normal 600'])
    assert.deepEqual(measured.sizes, ['16px', '19px', '43.36px', '13px', '29.92px', '15px'])
    assert.equal(measured.width, 608)
  })

  it('hangs the dates of a list in the margin, on the baseline of the title, and above it where there is no margin', async () => {
    await using page = await pages.open('home', { viewport: WIDE })
    for (const name of ['blog', 'blog-arabic']) {
      await page.goto(`${pages.site.url}/${name}`)
      for (const { date, title, list, isBefore } of await page.evaluate(measureDates)) {
        assert.ok(Math.abs(date.baseline - title.baseline) <= 1, `${name}: ${date.baseline} and ${title.baseline}`)
        assert.ok(isBefore, `${name}: ${date.left} ${list.left}`)
      }
    }
    await page.setViewportSize(NARROW)
    for (const { date, title, list } of await page.evaluate(measureDates)) {
      assert.ok(date.baseline < title.baseline && date.left >= list.left)
    }
  })
})

/** What axe, which is in the page, finds by these rules. Nothing else of its results is worked out, or leaves the browser. */
async function findViolations(page: Page, rules: readonly string[]): Promise<string[]> {
  const options = JSON.stringify({ runOnly: rules, resultTypes: ['violations'] })
  const run = `axe.run(${options}).then((results) => results.violations)`
  const violations = await page.evaluate<AxeResults['violations']>(run)
  return violations.map(({ id, nodes }) => `${id} ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

function recordShifts(): void {
  const shifts: number[] = []
  Object.assign(globalThis, { shifts })
  const add = (list: PerformanceObserverEntryList) => {
    for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value)
  }
  new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true })
}

function findFlaws(): string[] {
  const width = document.documentElement.clientWidth
  const flaws: string[] = []
  if (document.documentElement.scrollWidth > width) {
    const isWide = (element: Element) => element.getBoundingClientRect().right > width + 1
    flaws.push(
      `too wide: ${[...document.querySelectorAll('body *')].filter(isWide).map((element) => element.outerHTML.slice(0, 60))}`,
    )
  }
  for (const element of document.querySelectorAll('a, button, summary, input:not([type=hidden]), select, textarea')) {
    if (element.closest('.text, .visually-hidden, .skip') !== null || !element.checkVisibility()) continue
    const { width: across, height } = element.getBoundingClientRect()
    if (across < 23.5 || height < 23.5) flaws.push(`small: ${element.outerHTML.slice(0, 60)} ${across} × ${height}`)
  }
  for (const element of document.querySelectorAll('main p, main li, h1, h2, h3')) {
    const { clientHeight, scrollHeight } = element
    if (clientHeight === 0 || element.closest('.visually-hidden') !== null) continue
    // Ascenders of a tight line may reach out of it a little.
    if (scrollHeight > clientHeight * 1.5) flaws.push(`out of its box: ${element.outerHTML.slice(0, 60)}`)
  }
  const { shifts } = globalThis as unknown as { shifts: number[] }
  if (shifts.length > 0) flaws.push(`moved by ${shifts}`)
  return flaws
}

function measureDates() {
  // An empty inline block stands on the baseline.
  const baselineOf = (element: Element) => {
    const mark = document.createElement('span')
    mark.style.display = 'inline-block'
    element.prepend(mark)
    const { bottom } = mark.getBoundingClientRect()
    mark.remove()
    return bottom
  }
  return [...document.querySelectorAll('.posts article')].map((article) => {
    const [date, title] = [article.querySelector('.date'), article.querySelector('h2, .p-summary')]
    if (date === null || title === null) throw new TypeError('There is no date, or no title')
    const [own, list] = [date.getBoundingClientRect(), title.getBoundingClientRect()]
    return {
      date: { baseline: baselineOf(date), left: own.left },
      title: { baseline: baselineOf(title) },
      list: { left: list.left },
      isBefore: document.dir === 'rtl' ? own.left > list.right : own.right < list.left,
    }
  })
}
