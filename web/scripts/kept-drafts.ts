/** What was typed and is not on the server yet: its form's fields, and where they are saved. */
export interface KeptDraft {
  readonly url: string
  readonly body: string
  /** ISO 8601, by the browser's clock. */
  readonly at: string
}

// The account is a part of the key: nobody else who uses this browser is shown it.
const keyOf = (jid: string, url: string) => `canto-draft ${jid} ${url}`

export function keepDraft(jid: string, draft: KeptDraft): void {
  try {
    localStorage.setItem(keyOf(jid, draft.url), JSON.stringify(draft))
  } catch {
    // Full, or forbidden: the server is the better place anyway.
  }
}

export function dropDraft(jid: string, url: string): void {
  try {
    localStorage.removeItem(keyOf(jid, url))
  } catch {
    // Forbidden, so nothing was kept.
  }
}

/** All of one account. */
export function dropDrafts(jid: string): void {
  for (const { url } of listKeptDrafts(jid)) dropDraft(jid, url)
}

/** Of one account, never of another. */
export function listKeptDrafts(jid: string): KeptDraft[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(keyOf(jid, '')))
      .map((key) => JSON.parse(localStorage.getItem(key) ?? '') as KeptDraft)
  } catch {
    return []
  }
}
