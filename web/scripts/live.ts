import { showLocalTimes } from './times.ts'

/** Shows new comments on an open post, and says on an open blog that there is a new post. */
export function listenForChanges(): void {
  const place = document.querySelector<HTMLElement>('[data-live]')
  const url = place?.dataset.live
  if (place === null || url === undefined) return
  listen(place, url)
  // The browser may have kept the page as it was when it was left.
  addEventListener('pageshow', ({ persisted }) => persisted && listen(place, url))
}

function listen(place: HTMLElement, url: string): void {
  const events = new EventSource(url)
  // Sent at every (re)connection too: what changed while nobody listened is not missed.
  events.addEventListener('state', (event) => {
    const { version } = JSON.parse(event.data) as { version: string }
    if (version === place.dataset.version) return
    place.dataset.version = version
    if (place.classList.contains('proof')) location.reload()
    else if (place.classList.contains('thread')) void replaceComments(place)
    else for (const link of place.querySelectorAll('a')) link.hidden = false
  })
  addEventListener('pagehide', () => events.close(), { once: true })
}

async function replaceComments(thread: HTMLElement): Promise<void> {
  const response = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' } })
  if (!response.ok) return
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  showLocalTimes(page)
  for (const part of ['.comments', '#comments-heading', '.empty-line']) {
    const [old, fresh] = [thread.querySelector(part), page.querySelector(`.thread ${part}`)]
    if (old !== null && fresh !== null) old.replaceWith(fresh)
    else if (old !== null) old.remove()
  }
}
