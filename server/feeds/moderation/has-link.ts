import type { Entry } from '#shared/entry.ts'

const IN_HTML = /<(?:a|img|video|audio|source)\s[^>]*(?:href|src)="(?:https?:\/\/|mailto:|tel:|xmpp:[^"]*\?)/i
const IN_TEXT = /\bhttps?:\/\/|\bwww\.[a-z0-9-]+\.[a-z]/i

/** Whether a comment leads somewhere else. That it names an account on XMPP is no link: so people are mentioned. */
export function hasLink({ html, title, excerpt }: Pick<Entry, 'html' | 'title' | 'excerpt'>): boolean {
  return (html !== undefined && IN_HTML.test(html)) || IN_TEXT.test(title) || IN_TEXT.test(excerpt)
}
