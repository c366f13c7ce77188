import { handOverDrafts } from './drafts.ts'
import { dropComments, handOverComments } from './kept-comments.ts'
import { dropDrafts } from './kept-drafts.ts'

/** In `localStorage` the session that was signed out last, in `sessionStorage` what this tab knows of that. */
const KEY = 'canto-signed-out'
/** For texts that are only in this browser to reach the server. */
const HAND_OVER_MS = 5_000

/** Leaves nothing that was typed in this browser once its writer has signed out, in this tab or in another. */
export function forgetWhenSignedOut(closeDesk: () => Promise<void>): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement
    if (!form.classList.contains('leave') || event.defaultPrevented) return
    event.preventDefault()
    void signOut(form)
  })
  const follow = () => {
    const session = dropCommentsOnce()
    if (session !== undefined && session === document.body.dataset.session) void leavePage(closeDesk)
  }
  addEventListener('storage', ({ key }) => {
    if (key === KEY) follow()
  })
  // The browser may have kept the page, with what was typed in it.
  addEventListener('pageshow', follow)
}

async function signOut(form: HTMLFormElement): Promise<void> {
  const { account = '' } = form.dataset
  const fields = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]))
  await Promise.race([handOverDrafts(account, fields.get('token') ?? ''), waitForHandOver()])
  const request = { method: 'POST', body: fields, redirect: 'manual' } as const
  const answer = await fetch(form.action, request).catch(() => undefined)
  // The browser shows what the server says, or that it is not there.
  if (answer?.type !== 'opaqueredirect') return form.submit()
  dropDrafts(account)
  tellOtherTabs()
  dropCommentsOnce()
  location.assign('/')
}

/** Leaves a page whose session was signed out. */
async function leavePage(closeDesk: () => Promise<void>): Promise<void> {
  await Promise.race([Promise.all([closeDesk(), handOverComments()]), waitForHandOver()])
  // Or the browser would fill them in again.
  for (const form of document.forms) form.reset()
  location.reload()
}

function waitForHandOver(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, HAND_OVER_MS))
}

/** The session that was signed out last. */
function dropCommentsOnce(): string | undefined {
  try {
    const session = localStorage.getItem(KEY) ?? undefined
    if (session === undefined || session === sessionStorage.getItem(KEY)) return session
    dropComments()
    sessionStorage.setItem(KEY, session)
    return session
  } catch {
    // Forbidden, so nothing was kept.
    return undefined
  }
}

function tellOtherTabs(): void {
  try {
    localStorage.setItem(KEY, document.body.dataset.session ?? '')
  } catch {
    // Forbidden, so nothing was kept in them either.
  }
}
