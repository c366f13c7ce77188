/** How much typing may be lost, in milliseconds. */
const EVERY_MS = 5_000

interface Parts {
  readonly form: HTMLFormElement
  readonly state: HTMLElement
  readonly count: HTMLElement
}

/** Saves the write form while it is typed in, and counts its words. */
export function saveDrafts(): void {
  const form = document.querySelector<HTMLFormElement>('form[data-save]')
  const state = form?.querySelector<HTMLElement>('[data-state]')
  const count = form?.querySelector<HTMLElement>('[data-count]')
  if (!form || !state || !count) return
  const parts: Parts = { form, state, count }
  let saved = read(form)
  let timer: ReturnType<typeof setTimeout> | undefined

  const save = async (isLeaving = false) => {
    clearTimeout(timer)
    timer = undefined
    const now = read(form)
    if (now === saved || form.dataset.sent !== undefined) return
    if (await send(parts, now, isLeaving)) saved = now
    else timer ??= setTimeout(save, EVERY_MS)
  }
  form.addEventListener('input', () => {
    countWords(parts)
    growTitle(form)
    timer ??= setTimeout(save, EVERY_MS)
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void save(true)
  })
  growTitle(form)
  form.querySelector<HTMLTextAreaElement>('.title')?.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    form.querySelector<HTMLTextAreaElement>('.reading')?.focus()
  })
}

function read(form: HTMLFormElement): string {
  return new URLSearchParams(new FormData(form) as unknown as Record<string, string>).toString()
}

async function send({ form, state }: Parts, body: string, keepalive: boolean): Promise<boolean> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  try {
    const response = await fetch(form.dataset.save ?? '', { method: 'POST', headers, body, keepalive })
    const answer = (await response.json()) as { saved?: string; message?: string }
    state.textContent =
      answer.saved === undefined ? (answer.message ?? form.dataset.notSaved ?? '') : sayWhen(form, answer.saved)
    return answer.saved !== undefined
  } catch {
    state.textContent = form.dataset.notSaved ?? ''
    return false
  }
}

function sayWhen(form: HTMLFormElement, saved: string): string {
  const time = new Date(saved).toLocaleTimeString(form.dataset.language, { hour: '2-digit', minute: '2-digit' })
  return `${(form.dataset.saved ?? '{time}').replace('{time}', time)} · `
}

function countWords({ form, count }: Parts): void {
  const text = form.querySelector<HTMLTextAreaElement>('.reading')?.value ?? ''
  const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
  const forms = JSON.parse(form.dataset.words ?? '{}') as Record<string, string>
  const rule = new Intl.PluralRules(form.dataset.language).select(words)
  count.textContent = (forms[rule] ?? forms.other ?? '{count}').replace('{count}', String(words))
}

// COMPAT(Firefox 2026): `field-sizing: content` does this where it is known.
function growTitle(form: HTMLFormElement): void {
  const title = form.querySelector<HTMLTextAreaElement>('.title')
  if (title === null || CSS.supports('field-sizing', 'content')) return
  title.rows = 1
  title.rows = Math.max(1, Math.round(title.scrollHeight / Number.parseFloat(getComputedStyle(title).lineHeight)))
}
