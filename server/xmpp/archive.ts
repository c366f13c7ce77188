import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { type BareJid, readJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { ArchivePage, ArchiveQuery, RoomMessage } from './ports.ts'
import type { Ask } from './requests.ts'
import { readRoomMessage } from './room-messages.ts'

/** What a server gives at most is its own to say; ejabberd 250. */
const PAGE = 250

export interface Archive {
  /** One page of a channel's archive (XEP-0313 §4), the oldest message first. */
  read(channel: BareJid, query?: ArchiveQuery): Promise<ArchivePage>
  /** Whether a message was part of an answer that somebody waits for. */
  handle(stanza: Element): boolean
}

interface Waiting {
  readonly channel: BareJid
  readonly messages: RoomMessage[]
  /** More than were asked for are not kept. */
  readonly most: number
}

export function createArchive(ask: Ask): Archive {
  const waiting = new Map<string, Waiting>()
  return {
    async read(channel, { after, before, max = PAGE } = {}) {
      const queryid = randomUUID()
      const messages: RoomMessage[] = []
      const most = Math.min(max, PAGE)
      waiting.set(queryid, { channel, messages, most })
      try {
        const query = new Element('query', { xmlns: NS.MAM, queryid })
        const set = query.c('set', { xmlns: NS.RSM })
        set.c('max').t(String(most))
        if (after !== undefined) set.c('after').t(after)
        else if (before !== undefined) set.c('before').t(before)
        const answer = await ask('set', channel, query)
        const fin = answer.getChildElements().find((child) => child.getName() === 'fin')
        const found = fin?.getChild('set', NS.RSM)
        const [first, last] = [found?.getChildText('first'), found?.getChildText('last')]
        return {
          messages,
          isComplete: fin?.attrs.complete === 'true' || !last,
          ...(first && { first }),
          ...(last && { last }),
        }
      } finally {
        waiting.delete(queryid)
      }
    },
    handle(stanza) {
      const result = stanza.getChild('result', NS.MAM)
      const open = result && waiting.get(result.attrs.queryid ?? '')
      if (open === undefined || readJid(stanza.attrs.from ?? '')?.bare !== open.channel) return false
      const forwarded = result?.getChild('forwarded', NS.FORWARD)
      const inner = forwarded?.getChildElements().find((child) => child.getName() === 'message')
      const message = inner && readRoomMessage(inner, forwarded?.getChild('delay', NS.DELAY)?.attrs.stamp)
      // An archive speaks of its own channel.
      if (message?.channel === open.channel && open.messages.length < open.most) open.messages.push(message)
      return true
    },
  }
}
