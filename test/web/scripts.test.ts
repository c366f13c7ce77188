import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { until } from '#test/support/until.ts'
import type { PostPageView, WriteView } from '#web/views.ts'
import type { SamplePages } from './sample-pages.ts'
import { openSamplePages } from './sample-pages.ts'
import { comments } from './sample-posts.ts'

const ROUND_MS = 5_000
const AT = new Date('2026-03-14T21:40:00Z')

let pages: SamplePages
const onSave = (): object => ({ saved: '2026-03-14T21:42:00Z', isSignedIn: true })

before(async () => {
  pages = await openSamplePages()
})
beforeEach(() => {
  pages.site.onSave = onSave
  pages.site.sent.length = 0
})
after(() => pages[Symbol.asyncDispose]())

/** The write form under a clock that the test moves. */
async function openDesk(name = 'write-empty'): Promise<Page & AsyncDisposable> {
  const page = await pages.open('home')
  await page.clock.install({ time: AT })
  await page.goto(`${pages.site.url}/${name}`)
  return page
}

/** A round of saving goes by. */
async function wait(page: Page): Promise<void> {
  await page.clock.runFor(ROUND_MS)
}

const text = (page: Page) => page.getByLabel('Text', { exact: true })
const state = async (page: Page) => (await page.locator('.state').innerText()).trim()
const keptKeys = (page: Page) => page.evaluate(() => Object.keys(localStorage))
const waitForState = (page: Page, wanted: RegExp) =>
  until(async () => wanted.test(await state(page)), { what: `the bar to say ${wanted}` })

/** Types while nobody can be reached. */
async function typeOffline(page: Page, words: string): Promise<void> {
  await page.context().setOffline(true)
  await text(page).fill(words)
  await wait(page)
  await waitForState(page, /kept in this browser/)
}

/** Closes the tab, and comes back when there is a connection. */
async function openAgain(page: Page, name: string): Promise<Page> {
  const context = page.context()
  const other = await context.newPage()
  await page.close()
  await context.setOffline(false)
  await other.goto(`${pages.site.url}/${name}`)
  return other
}

describe('a form', () => {
  it('is sent once, however often it is clicked, and says so', async () => {
    await using page = await pages.open('post')
    await page.getByLabel('Comment').fill('Once.')
    // The answer goes elsewhere, so that the form stays to be looked at.
    await page.locator('.comment-form').evaluate((form: HTMLFormElement) => form.setAttribute('target', '_blank'))
    const send = page.locator('.comment-form button')
    await send.dblclick()
    assert.deepEqual([await send.textContent(), await send.getAttribute('aria-disabled')], ['Sending…', 'true'])
    await send.press('Enter')
    await until(() => pages.site.sent.length > 0)
    await page.reload()
    assert.deepEqual(
      pages.site.sent.map(({ fields }) => fields.text),
      ['Once.'],
    )
  })

  it('can be sent anew after the way back', async () => {
    await using page = await pages.open('post')
    await page.getByLabel('Comment').fill('Once more.')
    const send = page.locator('.comment-form button')
    await send.click()
    await page.waitForURL('**/comments')
    await page.goBack()
    await page.waitForURL('**/post')
    assert.deepEqual([await send.textContent(), await send.getAttribute('aria-disabled')], ['Send', null])
    assert.equal(await page.getByLabel('Comment').inputValue(), 'Once more.')
    await send.click()
    await until(() => pages.site.sent.length === 2)
  })
})

describe('what is typed in a comment', () => {
  it('is there again after a link of the page, and gone once it was sent', async () => {
    await using page = await pages.open('post')
    const field = page.getByLabel('Comment')
    await field.fill('Wilt thou be gone?')
    await page.goto(`${pages.site.url}/blog`)
    await page.goto(`${pages.site.url}/post`)
    assert.equal(await field.inputValue(), 'Wilt thou be gone?')
    await page.locator('.comment-form button').click()
    await page.waitForURL('**/comments')
    await page.goto(`${pages.site.url}/post`)
    assert.equal(await field.inputValue(), '')
  })

  it('is nobody else’s who signs in in the same tab', async () => {
    const { template, view } = pages.site.samples.get('post') ?? assert.fail()
    const { form } = view as PostPageView
    const other = { ...view, form: form && { ...form, jid: 'tybalt@capulet.example' } }
    pages.site.samples.set('post-of-other', { template, view: other as PostPageView })
    await using page = await pages.open('post')
    await page.getByLabel('Comment').fill('For my eyes')
    await page.goto(`${pages.site.url}/post-of-other`)
    assert.equal(await page.getByLabel('Comment').inputValue(), '')
    pages.site.samples.delete('post-of-other')
  })
})

describe('the desk', () => {
  it('saves what is typed every five seconds, and counts its words', async () => {
    await using page = await openDesk()
    await text(page).fill('Wilt thou be gone? It is not yet near day.')
    assert.equal(await state(page), '10 words')
    assert.equal(pages.site.sent.length, 0)
    await wait(page)
    await waitForState(page, /^Saved 21:42 · 10 words$/)
    assert.deepEqual(await keptKeys(page), [])
    await wait(page)
    assert.equal(pages.site.sent.length, 1)
    const [{ path, fields } = { path: '', fields: {} }] = pages.site.sent
    assert.deepEqual(
      [path, fields.token, fields.text],
      ['/drafts/abcdefgh', 't', 'Wilt thou be gone? It is not yet near day.'],
    )
  })

  it('saves a text that is too long to be sent by a page that closes', async () => {
    await using page = await openDesk()
    await text(page).fill('lark '.repeat(20_000))
    await wait(page)
    await waitForState(page, /^Saved 21:42 · 20,000 words$/)
  })

  it('keeps what cannot be saved, tries again, and keeps nothing that was saved', async () => {
    await using page = await openDesk()
    await typeOffline(page, 'It was the nightingale')
    assert.deepEqual(await keptKeys(page), ['canto-draft juliet@capulet.example /drafts/abcdefgh'])
    await page.context().setOffline(false)
    await wait(page)
    await waitForState(page, /^Saved/)
    assert.deepEqual(await keptKeys(page), [])
    assert.equal(pages.site.sent.at(-1)?.fields.text, 'It was the nightingale')
  })

  it('says what the server says against it, and goes on trying', async () => {
    await using page = await openDesk()
    pages.site.onSave = () => ({ message: 'You have 200 drafts.' })
    await text(page).fill('One more')
    await wait(page)
    await waitForState(page, /^You have 200 drafts\. · 2 words$/)
    pages.site.onSave = onSave
    await wait(page)
    await waitForState(page, /^Saved/)
  })

  it('asks whoever was signed out to sign in again, and leads back to the draft', async () => {
    await using page = await openDesk()
    pages.site.onSave = () => ({ saved: '2026-03-14T21:42:00Z', isSignedIn: false })
    await text(page).fill('Farewell')
    await wait(page)
    await waitForState(page, /^Saved 21:42\. You are signed out\. Sign in again · 1 word$/)
    const link = await page.getByRole('link', { name: 'Sign in again' }).getAttribute('href')
    assert.equal(link, `/signin?${new URLSearchParams({ next: '/write?draft=abcdefgh' })}`)
  })

  it('brings back what was typed when the tab was closed', async () => {
    await using page = await openDesk()
    await page.getByLabel('Readers may comment').evaluate((box: HTMLInputElement) => box.click())
    await typeOffline(page, 'It was the lark')
    const again = await openAgain(page, 'write-empty')
    await until(async () => (await text(again).inputValue()) === 'It was the lark')
    assert.equal(await again.locator('[name=comments]').isChecked(), false)
    await until(async () => (await keptKeys(again)).length === 0)
  })

  it('brings it back for the same account only', async () => {
    const { template, view } = pages.site.samples.get('write-empty') ?? assert.fail()
    pages.site.samples.set('write-romeo', { template, view: { ...(view as WriteView), jid: 'romeo@montague.example' } })
    await using page = await openDesk()
    await typeOffline(page, 'For my eyes')
    const other = await openAgain(page, 'write-romeo')
    await text(other).fill('I am Romeo')
    await other.getByRole('button', { name: 'Save draft' }).click()
    await until(() => pages.site.sent.some(({ fields }) => fields.text === 'I am Romeo'))
    assert.ok(!JSON.stringify(pages.site.sent).includes('For my eyes'))
    await other.goto(`${pages.site.url}/write-empty`)
    await until(async () => (await text(other).inputValue()) === 'For my eyes')
  })

  it('brings what belongs to another form to the drafts, and says so', async () => {
    const { template, view } = pages.site.samples.get('write-empty') ?? assert.fail()
    const fresh = { ...(view as WriteView), key: 'fresh', token: 'new', saveUrl: '/drafts/fresh' }
    pages.site.samples.set('write-fresh', { template, view: fresh })
    await using page = await openDesk()
    await typeOffline(page, 'Of the other tab')
    const other = await openAgain(page, 'write-fresh')
    await waitForState(other, /is in your drafts now/)
    assert.equal(await text(other).inputValue(), '')
    const { path, fields } = pages.site.sent.at(-1) ?? assert.fail()
    assert.match(path, /^\/drafts\/abcdefgh\?kept=2026-03-14T21%3A40/)
    assert.deepEqual([fields.token, fields.text], ['new', 'Of the other tab'])
  })

  for (const answer of [{ isOld: true }, { isSent: true }]) {
    it(`leaves the form alone where the server says ${Object.keys(answer)}`, async () => {
      await using page = await openDesk()
      await typeOffline(page, 'Long ago')
      pages.site.onSave = () => ({ saved: '2026-03-14T21:42:00Z', isSignedIn: true, ...answer })
      const again = await openAgain(page, 'write-empty')
      await until(async () => (await keptKeys(again)).length === 0)
      assert.equal(await text(again).inputValue(), '')
    })
  }
})

describe('an open page', () => {
  it('shows a new comment, and leaves alone what is being written', async () => {
    const { template, view } = pages.site.samples.get('post') ?? assert.fail()
    const post = view as PostPageView
    pages.site.samples.set('post-live', { template, view: { ...post, comments: comments.slice(0, 1) } })
    await using page = await pages.open('post-live')
    await page.getByLabel('Comment').fill('I was about to say')
    await until(() => pages.site.listeners === 1)
    const live = { url: '/live', version: '2' }
    pages.site.samples.set('post-live', { template, view: { ...post, comments: comments.slice(0, 2), live } })
    pages.site.announce('2')
    await page.getByText('You were not looking.').waitFor()
    assert.equal(await page.locator('.thread h2').textContent(), '2 comments')
    assert.equal(await page.getByLabel('Comment').inputValue(), 'I was about to say')
    pages.site.samples.delete('post-live')
  })

  it('hears that its comments are closed and opened, and nothing that was typed is lost', async () => {
    const { template, view } = pages.site.samples.get('post') ?? assert.fail()
    const post = view as PostPageView
    const show = (changes: Partial<PostPageView>, version: string) => {
      const live = { url: '/live', version }
      pages.site.samples.set('post-closing', { template, view: { ...post, live, ...changes } as PostPageView })
      pages.site.announce(version)
    }
    show({}, '1')
    await using page = await pages.open('post-closing')
    const field = page.getByLabel('Comment')
    await until(() => pages.site.listeners === 1)
    const closed = { form: undefined, closed: 'The comments are closed.' }
    await field.fill('I was about to say')
    show(closed, '2')
    await page.getByText('The comments are closed.').waitFor()
    assert.equal(await field.inputValue(), 'I was about to say')
    show({}, '3')
    await page.getByText('The comments are closed.').waitFor({ state: 'detached' })
    await field.fill('')
    show(closed, '4')
    await page.getByText('The comments are closed.').waitFor()
    assert.equal(await field.count(), 0)
    show({}, '5')
    await field.waitFor()
    pages.site.samples.delete('post-closing')
  })

  it('offers other reactions as soon as the post takes them, but not into a choice that is open', async () => {
    const { template, view } = pages.site.samples.get('post') ?? assert.fail()
    const post = view as PostPageView
    const heart = { emoji: '♥', shown: '♥', count: 1, isOwn: false }
    const show = (version: string, count: number, offered?: readonly string[]) => {
      const reactions = { chips: [{ ...heart, count }], form: { action: '/reactions', token: 't' }, offered }
      const live = { url: '/live', version }
      pages.site.samples.set('post-reactions', { template, view: { ...post, live, reactions } as PostPageView })
      pages.site.announce(version)
    }
    show('1', 1)
    await using page = await pages.open('post-reactions')
    await until(() => pages.site.listeners === 1)
    show('2', 1, ['👍'])
    await page.getByText('Other reaction').click()
    await page.locator('#reaction-emoji').fill('🌹')
    show('3', 7, ['👍'])
    await page.locator('.reactions > .chips').getByText('7').waitFor()
    assert.equal(await page.locator('#reaction-emoji').inputValue(), '🌹')
    pages.site.samples.delete('post-reactions')
  })

  it('takes no notice of what it shows already', async () => {
    await using page = await pages.open('post')
    let loads = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/post')) loads++
    })
    await until(() => pages.site.listeners === 1)
    pages.site.announce('1')
    pages.site.announce('2')
    await until(() => loads > 0)
    assert.equal(loads, 1)
  })

  it('of a blog says that there is a new post, and nothing moves', async () => {
    await using page = await pages.open('blog', { viewport: { width: 360, height: 740 } })
    await until(() => pages.site.listeners === 1)
    const places = () => page.locator('.posts li').evaluateAll((all) => all.map((li) => li.getBoundingClientRect().top))
    const before = await places()
    pages.site.announce('2')
    await page.getByRole('link', { name: 'There is a new post. Show it' }).waitFor()
    assert.deepEqual(await places(), before)
  })

  it('that the browser kept is told again once somebody comes back to it', async () => {
    await using page = await pages.open('blog')
    await until(() => pages.site.listeners === 1)
    const turn = (type: string) =>
      page.evaluate((name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type)
    for (const _ of [1, 2]) {
      await turn('pagehide')
      await until(() => pages.site.listeners === 0)
      await turn('pageshow')
      await until(() => pages.site.listeners === 1)
    }
  })

  it('shows times in the zone of whoever reads', async () => {
    await using page = await pages.open('post', { timezoneId: 'Asia/Tokyo' })
    assert.equal(await page.locator('#c1 time').textContent(), '16 March, 06:04')
    await using arabic = await pages.open('post-arabic', { timezoneId: 'Asia/Tokyo' })
    assert.equal(await arabic.locator('#c1 time').textContent(), '١٦ مارس، ٠٦:٠٤')
  })
})

describe('an open room', () => {
  it('keeps what is typed where nobody can be reached, and sends it by Enter once somebody can', async () => {
    await using page = await pages.open('room')
    const field = page.getByLabel('Message')
    await page.context().setOffline(true)
    await field.fill('It was the lark')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('button', { name: 'Send' }).waitFor()
    assert.equal(await field.inputValue(), 'It was the lark')
    await page.context().setOffline(false)
    await field.press('Shift+Enter')
    await field.press('Enter')
    await until(() => pages.site.sent.length > 0)
    assert.equal(pages.site.sent[0]?.fields.text?.replaceAll('\r', ''), 'It was the lark\n')
  })

  it('puts in what is new above the form, which stays as it is', async () => {
    await using page = await pages.open('room')
    await until(() => pages.site.listeners === 1)
    await page.getByLabel('Message').fill('Wilt thou')
    const first = await page.locator('#message-a').elementHandle()
    await page.route('**/room', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<section class="room">${SAID}<form class="say" id="say"></form></section>`,
      }),
    )
    pages.site.announce('2')
    await page.getByText('Only this is left').waitFor()
    assert.equal(await page.getByLabel('Message').inputValue(), 'Wilt thou')
    assert.equal(await first?.evaluate((element) => element.isConnected), false)
  })
})

const SAID = '<div class="talk" role="log"><article class="comment"><p>Only this is left</p></article></div>'

describe('the count of notifications', () => {
  it('follows what the server says, in the digits of the page', async () => {
    for (const [name, seven, many] of [
      ['notifications', '7', '99+'],
      ['notifications-arabic', '٧', '٩٩+'],
    ] as const) {
      await using page = await pages.open(name)
      const link = page.locator('header .unread')
      await until(() => pages.site.listeners === 1)
      pages.site.announce('7', 'unread')
      await until(async () => (await link.locator('[data-count]').innerText()) === seven)
      pages.site.announce('100', 'unread')
      await until(async () => (await link.locator('[data-count]').innerText()) === many)
      pages.site.announce('0', 'unread')
      await until(async () => !(await link.isVisible()))
    }
  })
})

describe('mentions', () => {
  it('are offered while they are typed, and chosen by the keyboard', async () => {
    await using page = await pages.open('post')
    await page.route('**/people.json*', (route) => {
      const people = [
        { name: 'Romeo [M]', jid: 'romeo@montague.example' },
        { name: 'Rosaline', jid: 'rosaline@capulet.example' },
      ]
      const isAsked = new URL(route.request().url()).searchParams.get('q') === 'ro'
      return route.fulfill({ json: { people: isAsked ? people : [] } })
    })
    const field = page.getByLabel('Comment')
    await field.pressSequentially('Art thou not @ro')
    await page.getByRole('option', { name: /Romeo/ }).waitFor()
    assert.equal(await field.getAttribute('aria-activedescendant'), 'comment-text-people-0')
    await field.press('ArrowDown')
    await field.press('ArrowUp')
    await field.press('Enter')
    assert.equal(await field.inputValue(), 'Art thou not [@Romeo \\[M\\]](xmpp:romeo@montague.example) ')
    assert.equal(await page.getByRole('listbox').count(), 0)
    await field.pressSequentially('and @ro')
    await page.getByRole('option', { name: /Rosaline/ }).click()
    assert.match(await field.inputValue(), /and @rosaline@capulet\.example $/)
    await field.pressSequentially('mail a@ro')
    await field.press('Escape')
    assert.equal(await page.getByRole('listbox').count(), 0)
  })
})
