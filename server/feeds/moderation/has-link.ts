import type { Entry } from '#shared/entry.ts'
import { listAddresses } from '#shared/markup.ts'

const ELSEWHERE = /^(?:https?:\/\/|mailto:|tel:|xmpp:[^?]*\?)/i
const IN_TEXT = /\bhttps?:\/\/|\bwww\.[a-z0-9-]+\.[a-z]/i

/** Whether a comment leads somewhere else. That it names an account on XMPP is no link: so people are mentioned. */
export function hasLink({ html, title, excerpt }: Pick<Entry, 'html' | 'title' | 'excerpt'>): boolean {
  if (IN_TEXT.test(title) || IN_TEXT.test(excerpt)) return true
  return html !== undefined && listAddresses(html).some((address) => ELSEWHERE.test(address))
}
