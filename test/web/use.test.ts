import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { until } from '#test/support/until.ts'
import type { SamplePages } from './sample-pages.ts'
import { NARROW, openSamplePages } from './sample-pages.ts'

let pages: SamplePages

before(async () => {
  pages = await openSamplePages()
})
after(() => pages[Symbol.asyncDispose]())

describe('with the keyboard alone', () => {
  for (const name of ['blog', 'timeline', 'post', 'write', 'signin', 'settings', 'drafts', 'blog-arabic']) {
    it(`everything on ${name} is reached, in the order of the page, with a mark around it`, async () => {
      await using page = await pages.open(name, { viewport: NARROW })
      const wanted = await page.evaluate(countStops)
      const visited: number[] = []
      for (let i = 0; i < wanted; i++) {
        await page.keyboard.press('Tab')
        const { place, outline, isHidden } = await page.evaluate(describeFocus)
        assert.match(outline, /solid 2px/)
        assert.equal(isHidden, false, `stop ${i} of ${name} is covered`)
        visited.push(place)
      }
      assert.deepEqual(
        visited,
        Array.from({ length: wanted }, (_, i) => i),
      )
    })
  }

  it('the first stop leads past the head of the page', async () => {
    await using page = await pages.open('blog')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the text')
    await page.keyboard.press('Enter')
    assert.equal(new URL(page.url()).hash, '#main')
  })

  it('a post is written without the bar over the line that is typed', async () => {
    await using page = await pages.open('write', { viewport: { width: 360, height: 640 } })
    const text = page.getByLabel('Text', { exact: true })
    await text.focus()
    await page.keyboard.press('Control+End')
    for (let line = 0; line < 30; line++) {
      await page.keyboard.insertText('more')
      await page.keyboard.press('Enter')
      // The caret is in the last line, just above the end of the field.
      const room = await page.evaluate(() => {
        const [field, bar] = ['#text', '.bar'].map((selector) =>
          document.querySelector(selector)?.getBoundingClientRect(),
        )
        return (bar?.top ?? 0) - (field?.bottom ?? 0)
      })
      if (line > 15) assert.ok(room >= -24, `${-room} px of the field are under the bar`)
    }
  })

  it('Enter in the title leads on to the text', async () => {
    await using page = await pages.open('write')
    await page.getByLabel('Title').focus()
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'text')
    assert.equal(await page.getByLabel('Title').inputValue(), 'Notes on keeping a garden inside walls')
  })
})

describe('labels', () => {
  const labels: readonly [page: string, ...labels: string[]][] = [
    ['signin', 'XMPP address', 'Password'],
    ['write', 'Title', 'Text', 'Tags', 'Summary', 'Language', 'Readers may comment'],
    ['preview', 'Title', 'Text', 'Tags'],
    ['post', 'Comment'],
    ['settings', 'Your name', 'Title of your blog', 'Description', 'Language of your blog'],
  ]
  for (const [name, ...wanted] of labels) {
    it(`of ${name} name one field each`, async () => {
      await using page = await pages.open(name)
      for (const label of wanted) assert.equal(await page.getByLabel(label).count(), 1, label)
    })
  }

  it('are on the buttons', async () => {
    await using page = await pages.open('write')
    for (const name of ['Publish', 'Preview', 'Save draft']) assert.equal(await button(page, name).count(), 1, name)
    await using comment = await pages.open('post')
    assert.equal(await button(comment, 'Send').count(), 1)
    await using signin = await pages.open('signin')
    assert.equal(await button(signin, 'Sign in').count(), 1)
  })
})

describe('without JavaScript', () => {
  it('every form sends what was typed, and which button was pressed', async () => {
    for (const name of ['Save draft', 'Preview', 'Publish']) {
      await using page = await pages.open('write', { javaScriptEnabled: false })
      await page.getByLabel('Text', { exact: true }).fill(`with ${name}`)
      await button(page, name).click()
      const sent = await until(() => pages.site.sent.find(({ fields }) => fields.text === `with ${name}`))
      const { path, fields } = sent
      assert.deepEqual([path, fields.token, fields.key, fields.comments], ['/write', 't', 'abcdefgh', 'on'])
      assert.equal(fields.action, { 'Save draft': 'draft', Preview: 'preview', Publish: 'publish' }[name])
    }
  })

  it('the ways to follow a blog unfold, and dates are there', async () => {
    await using page = await pages.open('post', { javaScriptEnabled: false })
    await page.getByText('Follow this blog').click()
    assert.ok(await page.getByText('https://verona.example/@juliet/atom.xml').isVisible())
    assert.equal(await page.locator('.post .dt-published').textContent(), '14 March 2026')
  })
})

describe('microformats', () => {
  it('say of a blog and its posts who, when, where and what', async () => {
    await using page = await pages.open('blog')
    const [feed, ...entries] = await page.evaluate(readFormats)
    assert.deepEqual(feed, {
      type: 'h-feed',
      name: 'A Balcony in Verona',
      url: '/@juliet',
      author: 'Juliet Capulet /@juliet',
      summary: 'Gardens, letters, astronomy, and other things one can do from indoors.',
    })
    assert.equal(entries.length, 4)
    assert.equal(entries[0]?.published, '2026-03-14T09:00:00Z')
    assert.match(entries[3]?.name ?? '', /^Saw the first swallow/)
  })

  it('say of a post its text, its tags, when it was edited, and its comments', async () => {
    await using page = await pages.open('post')
    const [entry, ...cites] = await page.evaluate(readFormats)
    assert.deepEqual(
      [entry?.type, entry?.name, entry?.url, entry?.author, entry?.updated],
      [
        ...['h-entry', 'The lark, the nightingale, and what a window is for', '/@juliet/lark'],
        ...['Juliet Capulet /@juliet', '2026-03-16T10:00:00Z'],
      ],
    )
    assert.match(entry?.content ?? '', /^It was the nightingale/)
    assert.equal(entry?.category, 'astronomy gardens')
    assert.equal(cites.length, 13)
    assert.match(cites[1]?.['in-reply-to'] ?? '', /^xmpp:/)
    assert.ok(cites.every(({ parent, contents }) => parent === 'h-entry' && contents === '1'))
    assert.equal(entry?.contents, '1')
    assert.equal(cites[1]?.updated, '2026-03-16T08:00:00Z')
  })
})

function button(page: Page, name: string) {
  return page.getByRole('button', { name, exact: true })
}

/** Numbers everything that Tab stops at. */
function countStops(): number {
  const all = document.querySelectorAll<HTMLElement>(
    'a[href], button, input, textarea, select, summary, [tabindex="0"]',
  )
  const stops = [...all].filter((element) => element.matches(':not([type=hidden])') && element.checkVisibility())
  for (const [i, element] of stops.entries()) element.dataset.stop = String(i)
  return stops.length
}

function describeFocus() {
  const element = document.activeElement as HTMLElement
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const { left, top, width, height } = element.getBoundingClientRect()
  const bar = document.querySelector('.bar')
  const lid = bar?.getBoundingClientRect()
  // WCAG 2.4.11: not entirely under what lies over the page.
  const isUnder = lid !== undefined && !bar?.contains(element) && top >= lid.top - 1 && top + height <= lid.bottom + 1
  const isHidden = isUnder || width === 0 || left < -1 || top >= innerHeight - 1 || top + height <= 0
  return { place: Number(element.dataset.stop), outline: `${outlineStyle} ${outlineWidth}`, isHidden }
}

/** As much of a microformats2 parser as these pages need. */
function readFormats(): Readonly<Record<string, string>>[] {
  const rootOf = (element: Element) => element.parentElement?.closest('.h-feed, .h-entry, .h-cite')
  const readValue = (element: Element): string => {
    const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ')
    if (element.matches('time')) return element.getAttribute('datetime') ?? ''
    if (element.matches('data')) return element.getAttribute('value') ?? ''
    if (element.matches('.h-card')) {
      return `${text} ${(element.matches('a') ? element : element.querySelector('a'))?.getAttribute('href') ?? ''}`.trim()
    }
    return text
  }
  return [...document.querySelectorAll('.h-feed, .h-entry, .h-cite')].map((root) => {
    const typeOf = (element: Element) => [...element.classList].find((name) => name.startsWith('h-')) ?? ''
    const above = root.matches('.h-cite') ? rootOf(root) : undefined
    const found: Record<string, string> = { type: typeOf(root), ...(above && { parent: typeOf(above) }) }
    for (const element of root.querySelectorAll('[class*="p-"], [class*="u-"], [class*="dt-"], [class*="e-"]')) {
      if (rootOf(element) !== root || element.matches('.h-entry, .h-cite')) continue
      for (const name of element.classList) {
        const [, kind, property] = /^(p|u|dt|e)-(.+)$/.exec(name) ?? []
        if (property === undefined) continue
        if (property === 'content') found.contents = String(Number(found.contents ?? 0) + 1)
        const value = kind === 'u' ? (element.getAttribute('href') ?? readValue(element)) : readValue(element)
        found[property] =
          found[property] === undefined || property !== 'category' ? value : `${found[property]} ${value}`
      }
    }
    return found
  })
}
