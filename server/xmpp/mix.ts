import { randomUUID } from 'node:crypto'
import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { Archive } from './archive.ts'
import type { Disco, Mix, Participant, RoomMessage, Services } from './ports.ts'
import { readItem } from './pubsub-events.ts'
import type { Ask } from './requests.ts'
import { readParticipant } from './room-messages.ts'

export interface MixDeps {
  /** The account itself. */
  readonly own: BareJid
  readonly ask: Ask
  readonly disco: Disco
  readonly readServices: () => Promise<Services>
  readonly archive: Archive
  readonly onMessage: (listener: (message: RoomMessage) => void) => () => void
}

/** Milliseconds. COMPAT(ejabberd 24.12): a join of a channel that is not there is never answered. */
const PATIENCE = 15_000
const NODES = [NS.MIX_MESSAGES, NS.MIX_PARTICIPANTS]

/**
 * Channels (XEP-0369) by way of the account's own server (XEP-0405). Answers come in several namespaces: they are known
 * by the id of the question.
 */
export function createMix({ own, ask, disco, readServices, archive, onMessage }: MixDeps): Mix {
  async function change(channel: BareJid, name: 'join' | 'leave', child: Element): Promise<Element> {
    const request = new Element(`client-${name}`, { xmlns: NS.MIX_PAM, channel }).cnode(child).root()
    return ask('set', own, request, { timeout: PATIENCE })
  }

  return {
    onMessage,
    async findService() {
      const { mix, hasPam } = await readServices()
      return hasPam ? mix : undefined
    },
    async isOffered() {
      return (await readServices()).hasPam === true
    },
    async createChannel(service) {
      // Never a name that was in use before: a channel that is made again has the archive of the first.
      const name = randomUUID().replaceAll('-', '').slice(0, 20)
      const answer = await ask('set', service, new Element('create', { xmlns: NS.MIX_CORE, channel: name }))
      const made = answer.getChildElements().find((child) => child.getName() === 'create')?.attrs.channel ?? name
      const channel = readBareJid(`${made}@${service}`)
      if (channel === undefined) throw new AppError('bad-request', `${service} made a room without an address`)
      return channel
    },
    async destroyChannel(channel) {
      const at = channel.indexOf('@')
      const name = channel.slice(0, at)
      await ask('set', channel.slice(at + 1), new Element('destroy', { xmlns: NS.MIX_CORE, channel: name }))
    },
    async join(channel, nick) {
      await disco.readInfo(channel)
      const join = new Element('join', { xmlns: NS.MIX_CORE })
      if (nick !== undefined) join.c('nick').t(nick)
      for (const node of NODES) join.c('subscribe', { node })
      const answer = await change(channel, 'join', join)
      const joined = answer.getChildElements()[0]?.getChildElements()[0]
      const id = joined?.attrs.id ?? joined?.attrs.jid?.split('#')[0]
      if (id === undefined || id === '') throw new AppError('unavailable', `${channel} does not say who one is there`)
      return id
    },
    async leave(channel) {
      await change(channel, 'leave', new Element('leave', { xmlns: NS.MIX_CORE }))
    },
    async setNick(channel, nick) {
      await ask('set', channel, new Element('setnick', { xmlns: NS.MIX_CORE }).c('nick').t(nick).root())
    },
    async listParticipants(channel) {
      const request = new Element('pubsub', { xmlns: NS.PUBSUB }).c('items', { node: NS.MIX_PARTICIPANTS }).root()
      const answer = await ask('get', channel, request)
      const items = answer.getChild('pubsub', NS.PUBSUB)?.getChild('items')?.getChildren('item') ?? []
      return items.flatMap((element): Participant[] => {
        const item = readItem(element)
        const found = item && readParticipant(item.id, item.payload)
        return found === undefined ? [] : [found]
      })
    },
    readArchive: archive.read,
  }
}
