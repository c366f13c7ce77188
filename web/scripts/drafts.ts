import type { Desk } from './desk.ts'
import { countWords, fillFields, findDesk, growTitle, readFields, say, sayWhen } from './desk.ts'
import type { KeptDraft } from './kept-drafts.ts'
import { dropDraft, keepDraft, listKeptDrafts } from './kept-drafts.ts'

/** How much typing may be lost, in milliseconds. */
const EVERY_MS = 5_000
const TIMEOUT_MS = 20_000
// A request that outlives its page may have 64 KiB, with its headers.
const LARGEST_LAST_WORD = 60_000

interface Answer {
  readonly saved?: string
  readonly isSignedIn?: boolean
  /** Published, or on its way: no draft any more. */
  readonly isSent?: boolean
  /** The server has something newer than what was kept here. */
  readonly isOld?: boolean
  readonly message?: string
}

/**
 * Saves the write form while it is typed in, and counts its words; what cannot be saved is kept in this browser. Returns
 * what saves it for the last time, and leaves nothing of it here.
 */
export function saveDrafts(): () => Promise<void> {
  const desk = findDesk()
  if (desk === undefined) return async () => {}
  growTitle(desk.form)
  const loop = createLoop(desk)
  desk.form.addEventListener('input', () => {
    countWords(desk)
    loop.onInput()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void loop.save()
  })
  void restore(desk, loop.save)
  return loop.close
}

function createLoop(desk: Desk) {
  const { form } = desk
  const { jid = '', save: url = '' } = form.dataset
  let saved = readFields(form)
  let timer: ReturnType<typeof setTimeout> | undefined
  let sending: Promise<Answer | undefined> | undefined
  const wait = () => {
    timer ??= setTimeout(save, EVERY_MS)
  }
  const keep = () => {
    const body = readFields(form)
    if (body !== saved) keepDraft(jid, { url, body, at: new Date().toISOString() })
    return body
  }
  async function save(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (form.dataset.sent !== undefined) return
    const body = keep()
    if (body === saved) return
    if (sending !== undefined) return wait()
    sending = send(url, body)
    const answer = await sending
    sending = undefined
    show(desk, answer)
    if (answer?.saved === undefined) return wait()
    saved = body
    // What was typed meanwhile is kept and saved with the next round.
    dropDraft(jid, url)
    if (readFields(form) !== saved) wait()
  }
  // The browser may find nobody to send it to.
  form.addEventListener('submit', keep)
  async function close(): Promise<void> {
    await sending
    await save()
    form.dataset.sent = ''
    dropDraft(jid, url)
  }
  return { save, close, onInput: wait }
}

/** Undefined where the server was not reached. */
async function send(url: string, body: string): Promise<Answer | undefined> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const [keepalive, signal] = [body.length <= LARGEST_LAST_WORD, AbortSignal.timeout(TIMEOUT_MS)]
  try {
    const response = await fetch(url, { method: 'POST', headers, body, keepalive, signal })
    return (await response.json()) as Answer
  } catch {
    return undefined
  }
}

function show(desk: Desk, answer: Answer | undefined): void {
  const { dataset } = desk.form
  if (answer?.saved === undefined) say(desk, answer?.message ?? dataset.keptHere ?? '')
  else if (answer.isSignedIn !== false) say(desk, sayWhen(desk.form, answer.saved))
  else {
    const next = dataset.reopen ?? location.pathname
    const link = { href: `/signin?${new URLSearchParams({ next })}`, text: dataset.signInAgain ?? '' }
    say(desk, `${sayWhen(desk.form, answer.saved)}. ${dataset.signedOut}`, link)
  }
}

/** Brings back what this account typed here and no server has yet: this form's into it, the rest to the drafts. */
async function restore(desk: Desk, save: () => Promise<void>): Promise<void> {
  const { jid = '', save: url = '', drafts = '', rescued = '' } = desk.form.dataset
  const shown = readFields(desk.form)
  let isRescued = false
  for (const kept of listKeptDrafts(jid)) {
    const answer = await sendKept(kept, new URLSearchParams(shown).get('token') ?? '')
    if (answer?.saved !== undefined) dropDraft(jid, kept.url)
    if (answer?.isSent || answer?.isOld) continue
    if (kept.url !== url) isRescued ||= answer?.saved !== undefined
    else if (readFields(desk.form) === shown) {
      fillFields(desk.form, kept.body)
      countWords(desk)
      await save()
    }
  }
  if (isRescued) say(desk, '', { href: drafts, text: rescued })
}

/** Gives the server what is only in this browser yet. */
export async function handOverDrafts(jid: string, token: string): Promise<void> {
  await Promise.all(listKeptDrafts(jid).map((kept) => sendKept(kept, token)))
}

function sendKept({ url, body, at }: KeptDraft, token: string): Promise<Answer | undefined> {
  const [address, fields] = [new URL(url, location.href), new URLSearchParams(body)]
  address.searchParams.set('kept', at)
  fields.set('token', token)
  return send(address.href, fields.toString())
}
