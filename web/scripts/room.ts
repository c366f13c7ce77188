import { showLocalTimes } from './times.ts'

/** What changes on the page of a room while it is open; what is being typed stays. */
const PARTS = ['.days', '.day', '.talk', '.empty-line', '.people', '.joining']

/** Sends what is typed in a room without leaving the page, by Enter too where there is a keyboard. */
export function speakInPlace(): void {
  const room = document.querySelector<HTMLElement>('.room')
  if (room === null) return
  room.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement
    if (!form.classList.contains('say') || form.dataset.sent !== undefined) return
    event.preventDefault()
    void send(room, form)
  })
  room.addEventListener('keydown', (event) => {
    const field = event.target as HTMLTextAreaElement
    const isPlain = event.key === 'Enter' && !event.shiftKey && !event.isComposing && !event.defaultPrevented
    if (!isPlain || field.form?.classList.contains('say') !== true || field.tagName !== 'TEXTAREA') return
    if (!matchMedia('(pointer: fine)').matches) return
    event.preventDefault()
    if (field.value.trim() !== '') field.form.requestSubmit(field.form.querySelector('button'))
  })
}

async function send(room: HTMLElement, form: HTMLFormElement): Promise<void> {
  const fields = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]))
  try {
    const response = await fetch(form.action, { method: 'POST', body: fields, headers: { accept: 'text/html' } })
    const page = readPage(await response.text())
    const fresh = page.querySelector<HTMLFormElement>('.room .say')
    // Signed out meanwhile, or refused in another way: the browser shows what the server says.
    if (fresh === null || !response.url.startsWith(location.origin)) return void form.submit()
    const typed = form.querySelector('textarea')?.value ?? ''
    const field = fresh.querySelector('textarea')
    // What was typed while it was sent.
    if (field !== null && typed !== fields.get('text')) field.value = typed
    replaceParts(room, page)
    form.replaceWith(fresh)
    field?.focus()
    room.dataset.version = page.querySelector<HTMLElement>('.room')?.dataset.version ?? ''
    if (new URLSearchParams(location.search).has('reply')) history.replaceState(null, '', location.pathname)
  } catch {
    // No network: the text is still there.
    delete form.dataset.sent
    const button = form.querySelector('button')
    button?.removeAttribute('aria-disabled')
    if (button?.dataset.words !== undefined) button.textContent = button.dataset.words
  }
}

/** Shows what a fresh page of the same room has. Rejects where there was none to be had for now. */
export async function refreshRoom(room: HTMLElement): Promise<void> {
  const response = await fetch(location.pathname, { headers: { accept: 'text/html' } })
  if (response.ok) return replaceParts(room, readPage(await response.text()))
  // The room was closed. The server gives back what was being typed, to copy it.
  const form = room.querySelector<HTMLFormElement>('.say')
  if (response.status !== 404) throw new Error(`The room is answered by ${response.status}`)
  if (form?.querySelector('textarea')?.value.trim()) form.submit()
  else location.reload()
}

function readPage(html: string): Document {
  const page = new DOMParser().parseFromString(html, 'text/html')
  showLocalTimes(page)
  return page
}

/** The form stays where it is seen: what is said comes in above it. */
function replaceParts(room: HTMLElement, page: Document): void {
  const form = room.querySelector('#say')
  const before = form?.getBoundingClientRect().top ?? 0
  for (const part of PARTS) {
    const [old, fresh] = [room.querySelector(part), page.querySelector(`.room ${part}`)]
    if (old !== null && fresh !== null) replaceChanged(old, fresh)
    else if (old !== null) old.remove()
    else if (fresh !== null) room.querySelector(part === '.joining' ? '#say' : '.talk')?.before(fresh)
  }
  const after = form?.getBoundingClientRect().top ?? 0
  if (form !== null && before >= 0 && before < innerHeight) scrollBy(0, after - before)
}

/** Only what is new is put in, so that a screen reader reads no more than that. */
function replaceChanged(old: Element, fresh: Element): void {
  if (!old.classList.contains('talk')) {
    if (!old.isEqualNode(fresh)) old.replaceWith(fresh)
    return
  }
  const said = [...old.children]
  const next = [...fresh.children]
  const same = said.findIndex((each, n) => next[n] === undefined || !each.isEqualNode(next[n]))
  const from = same < 0 ? said.length : same
  for (const each of said.slice(from)) each.remove()
  old.append(...next.slice(from))
}
