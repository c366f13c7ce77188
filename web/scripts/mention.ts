interface Person {
  readonly name: string
  readonly jid: string
}

/** What is typed behind an `@` that begins a word, up to the caret. */
const TYPED = /(?:^|[\s([{"'“„«>])@([\p{L}\p{N}._-][^\s@[\]()<>]*|)$/u
const PAUSE_MS = 120
/** What the site surely reads as an address where it stands in a text. */
const PLAIN = /^[\p{L}\p{N}]+(?:[._-][\p{L}\p{N}]+)*@[\p{L}\p{N}]+(?:[.-][\p{L}\p{N}]+)*$/u

/** Offers people to mention while an `@` is typed, in every field that says where they are to be asked for. */
export function completeMentions(): void {
  let list: MentionList | undefined
  document.addEventListener('input', ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || target.dataset.people === undefined) return
    if (list?.field !== target) {
      list?.close()
      list = createList(target)
    }
    list.update()
  })
  document.addEventListener('keydown', (event) => list?.field === event.target && list?.press(event), true)
  document.addEventListener('focusout', ({ target }) => list?.field === target && list?.close())
}

interface MentionList {
  readonly field: HTMLTextAreaElement
  update(): void
  press(event: KeyboardEvent): void
  close(): void
}

function createList(field: HTMLTextAreaElement): MentionList {
  const box = document.createElement('div')
  box.className = 'people-list'
  box.id = `${field.id}-people`
  box.setAttribute('role', 'listbox')
  box.setAttribute('aria-label', field.dataset.peopleLabel ?? '')
  field.setAttribute('aria-autocomplete', 'list')
  let people: readonly Person[] = []
  let chosen = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  function update(): void {
    clearTimeout(timer)
    const typed = readTyped(field)
    if (typed === undefined) close()
    else timer = setTimeout(() => void ask(typed), PAUSE_MS)
  }

  async function ask(typed: string): Promise<void> {
    const turn = ++asked
    const found = await fetch(`${field.dataset.people}?${new URLSearchParams({ q: typed })}`)
      .then((answer) => (answer.ok ? answer.json() : undefined))
      .catch(() => undefined)
    if (turn !== asked || readTyped(field) !== typed) return
    people = (found as { people?: readonly Person[] } | undefined)?.people ?? []
    chosen = 0
    if (people.length === 0) close()
    else show()
  }

  function show(): void {
    box.replaceChildren(
      ...people.map(({ name, jid }, n) => {
        const option = document.createElement('div')
        option.id = `${box.id}-${n}`
        option.setAttribute('role', 'option')
        option.setAttribute('aria-selected', String(n === chosen))
        const [words, address] = [document.createElement('bdi'), document.createElement('span')]
        words.textContent = name
        address.textContent = jid
        option.append(words, ' ', address)
        // Before the field loses the focus.
        option.addEventListener('mousedown', (event) => {
          event.preventDefault()
          choose(n)
        })
        return option
      }),
    )
    if (!box.isConnected) field.after(box)
    field.setAttribute('aria-controls', box.id)
    field.setAttribute('aria-activedescendant', `${box.id}-${chosen}`)
  }

  function choose(n: number): void {
    const [person, typed] = [people[n], readTyped(field)]
    close()
    if (person === undefined || typed === undefined) return
    const isPlain = field.dataset.mention === 'plain' || isOwnName(person)
    const words = isPlain ? `@${person.jid}` : `[@${escapeName(person.name)}](xmpp:${person.jid})`
    const at = field.selectionStart
    field.setRangeText(`${words} `, at - typed.length - 1, at, 'end')
    field.dispatchEvent(new InputEvent('input', { bubbles: true }))
  }

  function press(event: KeyboardEvent): void {
    if (!box.isConnected || event.isComposing) return
    const { key } = event
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      chosen = (chosen + (key === 'ArrowDown' ? 1 : people.length - 1)) % people.length
      show()
    } else if (key === 'Enter' || key === 'Tab') choose(chosen)
    else if (key === 'Escape') close()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  function close(): void {
    clearTimeout(timer)
    asked += 1
    box.remove()
    field.removeAttribute('aria-controls')
    field.removeAttribute('aria-activedescendant')
  }

  return { field, update, press, close }
}

function readTyped({ value, selectionStart, selectionEnd }: HTMLTextAreaElement): string | undefined {
  if (selectionStart !== selectionEnd) return undefined
  return TYPED.exec(value.slice(Math.max(0, selectionStart - 100), selectionStart))?.[1]
}

/** Whether the name says nothing that the address does not: the address alone is easier to read while one writes. */
function isOwnName({ name, jid }: Person): boolean {
  const bare = name.toLowerCase()
  return PLAIN.test(jid) && (bare === jid || bare === jid.slice(0, jid.lastIndexOf('@')))
}

/** What would end the words of a link. */
function escapeName(name: string): string {
  return name.replace(/[\\[\]*_`<>]/g, '\\$&')
}
