const PREFIX = 'canto-comment '

// The account is a part of the key: nobody else who signs in in this tab is shown it.
const keyOf = (form: HTMLFormElement) =>
  `${PREFIX}${form.dataset.account ?? ''} ${new URL(form.action, location.href).pathname}`

/** What is typed in a comment, and not sent, is there again after a click on another link of the page. */
export function keepComments(): void {
  document.addEventListener('input', ({ target }) => {
    const form = target instanceof HTMLTextAreaElement ? target.form : null
    if (form?.classList.contains('comment-form')) keep(form, (target as HTMLTextAreaElement).value)
  })
  document.addEventListener('submit', ({ target }) => {
    if (target instanceof HTMLFormElement && target.classList.contains('comment-form')) keep(target, '')
  })
  restoreComments()
}

/** Not where the server gives a text back: that is the newer one. */
export function restoreComments(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>('.comment-form')) {
    const field = form.querySelector('textarea')
    if (field === null || field.value !== '') continue
    try {
      field.value = sessionStorage.getItem(keyOf(form)) ?? ''
    } catch {
      // Forbidden, so nothing was kept.
    }
  }
}

/**
 * Sends what is typed on the page of a session that was signed out: the server takes it for no comment, and keeps it
 * for its writer until they sign in again.
 */
export async function handOverComments(): Promise<void> {
  const sent: Promise<unknown>[] = []
  for (const form of document.querySelectorAll<HTMLFormElement>('.comment-form')) {
    if (form.querySelector('textarea')?.value.trim() === '') continue
    const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]))
    sent.push(fetch(form.action, { method: 'POST', body, redirect: 'manual' }))
  }
  await Promise.allSettled(sent)
}

/** Drops the kept comments of all accounts, after somebody has signed out. */
export function dropComments(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key)
  } catch {
    // Forbidden, so nothing was kept.
  }
}

function keep(form: HTMLFormElement, text: string): void {
  try {
    if (text === '') sessionStorage.removeItem(keyOf(form))
    else sessionStorage.setItem(keyOf(form), text)
  } catch {
    // Full, or forbidden: then it is only on the page.
  }
}
