import { describeError } from '#server/errors.ts'
import { updateNode } from '#server/store/node.ts'
import { findRoom, listRooms } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import type { PubsubEvent, RoomMessage, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { ROOMS_TOPIC, roomTopic } from '../live.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import { waitAtMost } from '../patience.ts'
import { createAnnouncer } from './announcer.ts'
import { catchUpRoom } from './catch-up.ts'
import { createOffers } from './offers.ts'
import { noteLeft, readParticipants } from './participants.ts'
import { takeMessage } from './take.ts'

export interface Rooms {
  start(): Promise<void>
  /** Finishes what is under way. */
  stop(): Promise<void>
  /** When everything that was said is read. */
  idle(): Promise<void>
  /** Whether an account's server joins rooms for it; undefined while that is not known. Asks nobody who waits. */
  mayUse(jid: BareJid): boolean | undefined
  /** The same of making one, with the site in it. */
  mayOpen(jid: BareJid): boolean | undefined
}

export interface RoomsDeps extends OutboxDeps {
  readonly site: XmppSession
}

const TICK = 5_000
const STOP = 1_000
/** More than that is cheaper to read from the archive. */
const MOST_WAITING = 1_000

interface Line {
  last: Promise<void>
  waiting: number
  /** Whether everything up to what comes next was read. */
  isCurrent: boolean
  /** Somebody came, or goes by another name: who is there is to be read again. */
  hasNewcomers: boolean
}

/** Hears what is said in the rooms of the site, in order, and reads what was missed; tells them of posts. */
export function createRooms(deps: RoomsDeps): Rooms {
  const lines = new Map<BareJid, Line>()
  const stops: (() => void)[] = []
  const stopping = new AbortController()
  const announcer = createAnnouncer(deps)
  const offers = createOffers(deps)

  function run(channel: BareJid, task: (line: Line) => Promise<void>): void {
    const line = lines.get(channel) ?? { last: Promise.resolve(), waiting: 0, isCurrent: false, hasNewcomers: false }
    lines.set(channel, line)
    line.waiting++
    line.last = line.last
      .then(() => (stopping.signal.aborted ? undefined : task(line)))
      .catch((error: unknown) => {
        line.isCurrent = false
        if (!stopping.signal.aborted) deps.log.warn(`The room ${channel} could not be read: ${describeError(error)}`)
      })
      .finally(() => line.waiting--)
  }

  async function read(channel: BareJid, line: Line): Promise<void> {
    const room = await findRoom(deps.state, channel)
    if (room?.status !== 'open' || line.isCurrent || deps.site.status !== 'online') return
    // What comes meanwhile is in the archive too, or waits behind this.
    line.isCurrent = await catchUpRoom(deps, room, stopping.signal)
    if (line.isCurrent) announcer.lookAtAll()
  }

  function hear(message: RoomMessage): void {
    const { channel } = message
    const line = lines.get(channel)
    if (line !== undefined && line.waiting >= MOST_WAITING) {
      line.isCurrent = false
      return
    }
    run(channel, async (own) => {
      const room = await findRoom(deps.state, channel)
      // Anybody may send a message that looks like one of a channel.
      if (room === undefined) return void lines.delete(channel)
      if (!own.isCurrent) return read(channel, own)
      await takeMessage(deps, { room, message })
      await updateNode(deps.index, talkNode(channel), { archiveCursor: message.id })
    })
  }

  function hearParticipants(event: PubsubEvent): void {
    if (event.address.node !== NS.MIX_PARTICIPANTS) return
    if (event.kind !== 'published' && event.kind !== 'retracted') return
    const channel = event.address.service
    run(channel, async (line) => {
      const room = await findRoom(deps.state, channel)
      if (room === undefined) return void lines.delete(channel)
      if (event.kind === 'retracted') {
        await noteLeft(deps, room, event.address.item)
        deps.live.publish(roomTopic(channel), { kind: 'participants-changed' })
      } else if (line.hasNewcomers) {
        line.hasNewcomers = false
        await readParticipants(deps, room, deps.site)
      }
    })
    const line = lines.get(channel)
    if (line !== undefined && event.kind === 'published') line.hasNewcomers = true
  }

  async function readAll(): Promise<void> {
    for (const { channel, status } of await listRooms(deps.state)) {
      const isThere =
        (await deps.index.selectFrom('node').select('id').where('service', '=', channel).execute()).length > 0
      const line = lines.get(channel)
      // The index was emptied.
      if (line !== undefined && !isThere) line.isCurrent = false
      if (status === 'open' && (line === undefined || (!line.isCurrent && line.waiting === 0))) {
        run(channel, (own) => read(channel, own))
      }
    }
  }

  function onStatus(status: SessionStatus): void {
    // Where the stream goes on nothing was missed.
    if (status !== 'online' || deps.site.lastSignIn === 'resumed') return
    for (const line of lines.values()) line.isCurrent = false
    void guard(readAll)
  }

  async function guard(task: () => Promise<void>): Promise<void> {
    try {
      await task()
    } catch (error) {
      if (!stopping.signal.aborted) deps.log.error(`The rooms failed: ${describeError(error)}`)
    }
  }

  async function idle(): Promise<void> {
    while ([...lines.values()].some(({ waiting }) => waiting > 0)) {
      await Promise.all([...lines.values()].map(({ last }) => last))
    }
  }

  return {
    ...offers,
    idle,
    async start() {
      announcer.start()
      stops.push(deps.site.mix.onMessage(hear), deps.site.onPubsubEvent(hearParticipants), deps.site.onStatus(onStatus))
      stops.push(deps.live.subscribe(ROOMS_TOPIC, () => void guard(readAll)))
      const timer = setInterval(() => void guard(readAll), TICK)
      stops.push(() => clearInterval(timer))
      await guard(readAll)
    },
    async stop() {
      stopping.abort()
      for (const stop of stops.splice(0)) stop()
      await waitAtMost(Promise.all([announcer.stop(), idle()]), STOP)
    },
  }
}
