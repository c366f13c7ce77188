import type { Entry } from '../entry.ts'
import { textToHtml } from '../markup.ts'
import { readMentions } from '../mentions.ts'
import { readRoomWords } from '../room-message.ts'
import { cleanLine, shorten } from '../text.ts'
import { BASE_CONFIG, type Profile } from './profile.ts'

/** What is said in a MIX channel (XEP-0369): an item for each message that has words. */
export const room: Profile = {
  name: 'room',
  // Only a room that was opened here makes a node one of these.
  matchesNode: () => false,
  matchesPayload: () => false,
  config: BASE_CONFIG,
  readEntry(payload): Entry | undefined {
    const { text } = readRoomWords(payload)
    if (text === '') return undefined
    const html = textToHtml(text, { isForeign: true })
    const excerpt = shorten(cleanLine(text, 1_000), 200)
    return {
      ...{ title: excerpt, isUntitled: true, excerpt, html, source: text },
      ...{ author: {}, tags: [], links: [], pictures: [], mentions: readMentions(payload, html) },
    }
  },
  template: 'comment',
}
