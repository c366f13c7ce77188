import { formatTime, localeOf } from './times.ts'

/** The write form and the words of its bar. */
export interface Desk {
  readonly form: HTMLFormElement
  readonly state: HTMLElement
  readonly gap: HTMLElement
  readonly count: HTMLElement
}

export function findDesk(): Desk | undefined {
  const form = document.querySelector<HTMLFormElement>('form[data-save]')
  const [state, gap, count] = ['[data-state]', '[data-gap]', '[data-count]'].map((part) =>
    form?.querySelector<HTMLElement>(part),
  )
  return form && state && gap && count ? { form, state, gap, count } : undefined
}

/** The fields as they are sent. */
export function readFields(form: HTMLFormElement): string {
  // A file cannot be kept as text.
  const fields = [...new FormData(form)].filter((field): field is [string, string] => typeof field[1] === 'string')
  return new URLSearchParams(fields).toString()
}

/** Puts kept fields back; the token and the key stay the form's own. */
export function fillFields(form: HTMLFormElement, body: string): void {
  const values = new URLSearchParams(body)
  for (const field of form.elements) {
    if (!('name' in field) || field instanceof HTMLButtonElement) continue
    const { name } = field as HTMLInputElement
    if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = values.has(name)
    else if (!['token', 'key'].includes(name) && values.has(name))
      (field as HTMLInputElement).value = values.get(name) ?? ''
  }
}

/** Says in the bar what became of the text, with a way on where there is one. */
export function say(
  { state, gap }: Desk,
  words: string,
  link?: { readonly href: string; readonly text: string },
): void {
  state.textContent = words
  gap.hidden = words === ''
  if (link === undefined) return
  const anchor = document.createElement('a')
  anchor.href = link.href
  anchor.textContent = link.text
  state.append(words === '' ? '' : ' ', anchor)
  gap.hidden = false
}

/** "Saved 21:42", in the reader's zone. */
export function sayWhen({ dataset }: HTMLFormElement, saved: string): string {
  const time = formatTime(new Date(saved), 'clock', localeOf(dataset.language ?? 'en'))
  return (dataset.saved ?? '{time}').replace('{time}', time)
}

export function countWords({ form, count }: Desk): void {
  const text = form.querySelector<HTMLTextAreaElement>('.reading')?.value ?? ''
  const words = splitWords(text)
  const forms = JSON.parse(form.dataset.words ?? '{}') as Record<string, string>
  const locale = localeOf(form.dataset.language ?? 'en')
  const rule = new Intl.PluralRules(locale).select(words)
  const figure = new Intl.NumberFormat(locale).format(words)
  count.textContent = (forms[rule] ?? forms.other ?? '{count}').replace('{count}', figure)
}

/** The server counts in the same way. */
function splitWords(text: string): number {
  if (text.length > 50_000) return text.match(/\S+/g)?.length ?? 0
  const segments = new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)
  return [...segments].filter(({ isWordLike }) => isWordLike).length
}

/** The title is one line that grows, and Enter leads on to the text. */
export function growTitle(form: HTMLFormElement): void {
  const title = form.querySelector<HTMLTextAreaElement>('.title')
  if (title === null) return
  const grow = () => {
    title.rows = 1
    title.rows = Math.max(1, Math.round(title.scrollHeight / Number.parseFloat(getComputedStyle(title).lineHeight)))
  }
  // COMPAT(Firefox 2026): `field-sizing: content` does this where it is known.
  if (!CSS.supports('field-sizing', 'content')) {
    title.addEventListener('input', grow)
    grow()
  }
  title.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return
    event.preventDefault()
    form.querySelector<HTMLTextAreaElement>('.reading')?.focus()
  })
}
