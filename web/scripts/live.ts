import { holdStream } from './event-stream.ts'
import { restoreComments } from './kept-comments.ts'
import { refreshRoom } from './room.ts'
import { localeOf, showLocalTimes } from './times.ts'

/** Shows new comments on an open post, and says on an open blog that there is a new post. */
export function listenForChanges(): void {
  const place = document.querySelector<HTMLElement>('[data-live]')
  const unread = document.querySelector<HTMLElement>('[data-unread]')
  // One stream a page: a browser opens only a few at once. What the page shows comes with the count of what is unread.
  const url = place?.dataset.live ?? unread?.dataset.unread
  if (url === undefined) return
  let stop = listen({ place, unread, url })
  // The browser may have kept the page as it was when it was left.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) stop = listen({ place, unread, url })
  })
  addEventListener('pagehide', () => stop())
  // Many pages that nobody looks at must not take all the connections of the browser.
  if (place === null) {
    document.addEventListener('visibilitychange', () => {
      stop()
      if (document.visibilityState === 'visible') stop = listen({ place, unread, url })
    })
  }
}

interface Places {
  readonly place: HTMLElement | null
  readonly unread: HTMLElement | null
  readonly url: string
}

function listen({ place, unread, url }: Places): () => void {
  return holdStream(url, {
    // Sent at every (re)connection too: what changed while nobody listened is not missed.
    state: (data) => {
      const { version } = JSON.parse(data) as { version: string }
      if (place === null || version === place.dataset.version) return
      const former = place.dataset.version
      place.dataset.version = version
      // A page that could not be fetched is asked for again with the next state, which comes with every connection.
      const forget = () => {
        if (place.dataset.version === version) place.dataset.version = former
      }
      if (place.classList.contains('proof')) location.reload()
      else if (place.classList.contains('room')) refreshRoom(place).catch(forget)
      else if (place.classList.contains('thread')) replaceComments(place).catch(forget)
      else for (const link of place.querySelectorAll('a')) link.hidden = false
    },
    unread: (data) => {
      const { version } = JSON.parse(data) as { version: string }
      if (unread !== null) showUnread(unread, Number(version))
    },
  })
}

/** As the server writes it: 100 stand for more. */
function showUnread(link: HTMLElement, count: number): void {
  const digits = new Intl.NumberFormat(localeOf(document.documentElement.lang)).format(Math.min(count, 99))
  const place = link.querySelector('[data-count]')
  if (place !== null) place.textContent = count > 99 ? `${digits}+` : digits
  link.hidden = count === 0
}

async function replaceComments(thread: HTMLElement): Promise<void> {
  const response = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' } })
  if (!response.ok) throw new Error(`The page is answered by ${response.status}`)
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  showLocalTimes(page)
  replaceReactions(page)
  let last: Element | null = null
  for (const part of ['#comments-heading', '.comments', '.thread-pages', '.empty-line', WAYS]) {
    const [old, fresh] = [thread.querySelector(part), page.querySelector(`.thread :is(${part})`)]
    // What is typed stays, also where the comments were closed meanwhile.
    const isKept: boolean = part === WAYS && old !== null && (fresh !== null || isTypedIn(old))
    if (!isKept && fresh !== null) {
      if (old === null) last?.after(fresh)
      else old.replaceWith(fresh)
    } else if (!isKept) old?.remove()
    last = (isKept ? old : fresh) ?? last
  }
  restoreComments()
}

/** The form for a comment, or how to comment without it. */
const WAYS = '.comment-form:not(.visitor), .how-to'

function replaceReactions(page: Document): void {
  const [old, fresh] = [document, page].map((each) => each.querySelector('.reactions'))
  if (!old || !fresh) return
  // Where another one is being chosen, only the counts are new.
  const isUsed = old.querySelector('details[open]') !== null || isTypedIn(old)
  const [part, freshPart] = isUsed ? [old, fresh].map((each) => each.querySelector('.chips')) : [old, fresh]
  if (part && freshPart) part.replaceWith(freshPart)
}

function isTypedIn(part: Element): boolean {
  const fields = part.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('textarea, input:not([type=hidden])')
  return [...fields].some(({ value }) => value !== '')
}
