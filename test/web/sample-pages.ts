import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser, openPage } from '#test/support/browser.ts'
import { until } from '#test/support/until.ts'
import type { SampleSite } from './sample-site.ts'
import { startSampleSite } from './sample-site.ts'

export const NARROW = { width: 360, height: 740 }
export const WIDE = { width: 1280, height: 800 }

/** The sample site with a browser in front of it. */
export interface SamplePages extends AsyncDisposable {
  readonly site: SampleSite
  /** In a context of its own, closed with the page. */
  open(name: string, options?: BrowserContextOptions): Promise<Page & AsyncDisposable>
}

export async function openSamplePages(): Promise<SamplePages> {
  const site = await startSampleSite()
  const browser: Browser = await openBrowser()
  return {
    site,
    async open(name, options = {}) {
      const before = site.listeners
      const page = await openPage(browser, { viewport: WIDE, ...options })
      await page.goto(`${site.url}/${name}`)
      const close = async () => {
        await page.context().close()
        // The site hears a moment later that its live stream has ended; the next test must not take it for its own.
        await until(() => site.listeners <= before, { what: 'the live stream of a closed page to end' })
      }
      return Object.assign(page, { [Symbol.asyncDispose]: close })
    },
    async [Symbol.asyncDispose]() {
      await browser.close()
      await site[Symbol.asyncDispose]()
    },
  }
}
