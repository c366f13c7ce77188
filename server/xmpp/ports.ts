import type { Element } from 'ltx'
import type { AppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { NodeConfig } from '#shared/profiles/profile.ts'

export type { NodeConfig }

/** A token for the next sign-in without a password (XEP-0484). */
export interface FastToken {
  readonly token: string
  readonly mechanism: string
  /** RFC 3339, as the server sent it. */
  readonly expiry?: string
}

export interface Credentials {
  readonly password?: string
  readonly token?: FastToken
}

export interface SessionOptions {
  readonly jid: BareJid
  /** `xmpp://host:port`, `xmpps://…` or `wss://…`; by DNS when left out. */
  readonly service?: string
  /** Read at each sign-in. */
  readonly credentials: () => Credentials | Promise<Credentials>
  /** Called with every token the server gives, and with undefined when one no longer holds. */
  readonly saveToken?: (token: FastToken | undefined) => void | Promise<void>
  /** A UUID that stays the same for the account: tokens are bound to it. */
  readonly userAgentId: string
  /** The site's ear sends presence with priority 0; a person's session never sends any. */
  readonly isSite: boolean
  readonly log: Logger
  /** Lets an account's domain lead to a private address. A configured service always may. */
  readonly allowPrivate?: boolean
  /** Milliseconds for one attempt to get online. */
  readonly connectTimeout?: number
}

export type SessionStatus = 'connecting' | 'online' | 'waiting' | 'refused' | 'stopped'

export interface XmppSession {
  readonly jid: BareJid
  /** `waiting` tries again by itself; `refused` and `stopped` are the end. */
  readonly status: SessionStatus
  /** Why it is waiting or refused. */
  readonly problem?: AppError
  readonly pubsub: Pubsub
  readonly disco: Disco
  readonly mix: Mix
  /** Whether the server proved itself with a private certificate authority, which other clients may not know. */
  readonly isPrivateCertificate?: boolean
  /** The largest stanza the server takes, in bytes, where it says (XEP-0478). */
  readonly maxStanzaBytes?: number
  /** Milliseconds of the last exchange. */
  readonly rtt?: number
  /** How the session last came online: `resumed` went on with the stream before it (XEP-0198), so nothing was missed. */
  readonly lastSignIn?: 'resumed' | 'token' | 'password'
  /** Everything since the session was opened, over all its connections. */
  readonly traffic?: Traffic
  /** Resolves once online; rejects with an AppError when refused, stopped or after `timeoutMs`. */
  whenOnline(timeoutMs: number): Promise<void>
  /** Told every change; returns the way to stop listening. */
  onStatus(listener: (status: SessionStatus) => void): () => void
  onPubsubEvent(listener: (event: PubsubEvent) => void): () => void
  /** Told every message that is no event of a node, from whomever: all that it says is only a claim. */
  onMessage(listener: (message: Message) => void): () => void
  /** Resolves once it is written; an error that comes back is a message of type `error` with its id. */
  sendMessage(message: OutgoingMessage): Promise<void>
  readServices(): Promise<Services>
  /** Contacts whose presence the account gets, from its roster (RFC 6121 §2.1.2.5: `to` and `both`). */
  readContacts?(): Promise<ReadonlySet<BareJid>>
  /** What time the account's server thinks it is (XEP-0202). */
  readServerTime?(): Promise<Date>
  /** A place for a file on the account's server (XEP-0363); rejects with `too-large` over its limit. */
  requestUploadSlot?(file: UploadFile): Promise<UploadSlot>
  /** Publishes the account's nickname (XEP-0172). */
  setNickname(name: string): Promise<void>
  /** Asks the server to forget the account's token; where it cannot, nothing happens. */
  invalidateToken(): Promise<void>
  stop(): Promise<void>
}

/** RFC 6121 §5. */
export interface Message {
  readonly type: 'normal' | 'chat' | 'groupchat' | 'headline' | 'error'
  readonly id?: string
  /** Who sent it: the server vouches for that. */
  readonly from: { readonly bare: BareJid; readonly resource?: string }
  /** Of type `error`, that of the message which came back. */
  readonly body?: string
  readonly thread?: string
  /** Everything else in it, within bounds. */
  readonly payloads: readonly Element[]
}

export interface OutgoingMessage {
  /** Bare or full. */
  readonly to: string
  readonly type: 'normal' | 'chat' | 'groupchat'
  /** A random one when left out. */
  readonly id?: string
  readonly body?: string
  readonly thread?: string
  readonly payloads?: readonly Element[]
}

/** Bytes are those of the XML, before TLS. A round trip is a question of ours that had to wait for its answer. */
export interface Traffic {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly stanzasIn: number
  readonly stanzasOut: number
  readonly roundTrips: number
}

export interface UploadFile {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Media type. */
  readonly type: string
}

export interface UploadSlot {
  readonly put: string
  readonly get: string
  /** To be sent with the PUT: only those that the XEP allows. */
  readonly headers: Readonly<Record<string, string>>
}

/** What the account's server offers. */
export interface Services {
  readonly pubsub?: BareJid
  readonly mix?: BareJid
  /** Whether the account's server joins channels for it (XEP-0405): without it nothing of them arrives. */
  readonly hasPam?: boolean
  readonly upload?: { readonly jid: BareJid /** bytes */; readonly maxSize?: number }
  readonly pep: boolean
  /** Whether the account's server keeps its subscriptions (XEP-0376) and shows the public ones (XEP-0465). */
  readonly publicSubscriptions?: boolean
}

/** Somebody in a channel, by the id that their messages come from. */
export interface Participant {
  readonly id: string
  /** Where the channel shows it. */
  readonly jid?: BareJid
  /** 100 characters at most. */
  readonly nick?: string
}

/** A message of a channel. */
export interface RoomMessage {
  readonly channel: BareJid
  /** Of the channel and its archive. */
  readonly id: string
  /** The only proof of who spoke: to be looked up among the participants. */
  readonly participant: string
  readonly at: Date
  /** Of our own message: the id that it was sent with. Never in the archive. */
  readonly submissionId?: string
  /** What the channel says of the participant, where the list of them does not know any more. */
  readonly stamped?: Omit<Participant, 'id'>
  /** The message, the same whether it came live or from the archive, with its date (XEP-0203). */
  readonly payload: Element
}

export interface ArchiveQuery {
  /** The id of a message: those after it. One that the archive does not know gives it from the beginning. */
  readonly after?: string
  /** Those before it; '' the newest. */
  readonly before?: string
  /** 250 at most. */
  readonly max?: number
}

export interface ArchivePage {
  /** The oldest first. */
  readonly messages: readonly RoomMessage[]
  /** Whether there are no more in this direction. */
  readonly isComplete: boolean
  readonly first?: string
  readonly last?: string
}

/** MIX channels (XEP-0369) as one account sees them. Every failure is an AppError. */
export interface Mix {
  /** Where channels can be made; undefined where the account's server has no such service or does not join for it. */
  findService(): Promise<BareJid | undefined>
  /** Whether the account can be in a channel, of whatever server. */
  isOffered(): Promise<boolean>
  /** Makes a channel with a random name. */
  createChannel(service: BareJid): Promise<BareJid>
  /** Only who made it may. Nobody is told, and its archive stays. */
  destroyChannel(channel: BareJid): Promise<void>
  /** Resolves with the participant's id. Again does no harm, and changes the nickname. */
  join(channel: BareJid, nick?: string): Promise<string>
  leave(channel: BareJid): Promise<void>
  setNick(channel: BareJid, nick: string): Promise<void>
  /** Participants only. */
  listParticipants(channel: BareJid): Promise<readonly Participant[]>
  /** Participants only (XEP-0313). */
  readArchive(channel: BareJid, query?: ArchiveQuery): Promise<ArchivePage>
  /** Told every message of any channel, as it comes; returns the way to stop. */
  onMessage(listener: (message: RoomMessage) => void): () => void
}

export interface DiscoInfo {
  readonly identities: readonly { readonly category: string; readonly type: string; readonly name?: string }[]
  readonly features: ReadonlySet<string>
  /** Values of the attached forms by `FORM_TYPE`, then by field. */
  readonly forms: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>
}

export interface DiscoItem {
  readonly jid: string
  readonly node?: string
  readonly name?: string
}

export interface Disco {
  readInfo(jid: string, node?: string): Promise<DiscoInfo>
  /** Everything, or with `max` no more than so many (XEP-0059 where the service pages). */
  listItems(jid: string, node?: string, options?: { readonly max?: number }): Promise<readonly DiscoItem[]>
}

export interface Item {
  readonly id: ItemId
  readonly payload?: Element
  /** Bare or full, as the service sent it. */
  readonly publisher?: string
}

export interface ItemQuery {
  readonly max?: number
  /** A cursor of an earlier page: the next page of older items. */
  readonly before?: string
  /** A cursor of an earlier page: the next page of newer items. */
  readonly after?: string
  readonly signal?: AbortSignal
}

export interface ItemPage {
  /** Newest first. */
  readonly items: readonly Item[]
  /** Whether these are all the items of the node. */
  readonly isComplete: boolean
  /** Where the next older page begins; absent on the last. */
  readonly cursor?: string
  /** How many items the node has, where the service says. */
  readonly count?: number
}

export interface ItemLimits {
  /** No more than so many items in all. */
  readonly max?: number
  readonly signal?: AbortSignal
}

export interface PageLimits extends ItemLimits {
  /** Where an earlier reading stopped: begins with what is older. */
  readonly before?: string
  /** How many items to ask for first; those after are learned. */
  readonly size?: number
  /** False where the list of ids is known to be too large or refused; asked only where it is wanted. */
  readonly mayListIds?: () => Promise<boolean>
  /** What need not be sent again where items are asked for by id. */
  readonly listKnown?: () => Promise<ReadonlySet<ItemId>>
}

/** A part of a node that is read whole. */
export interface NodePage {
  /** Items that no page of this reading had before, newest first unless they were asked for by their ids. */
  readonly items: readonly Item[]
  /** About what they were on the wire. */
  readonly bytes: number
  readonly isLast: boolean
  /** Where to go on later, where the service pages. */
  readonly cursor?: string
  /** How many items the node has, where the service says. */
  readonly count?: number
  /** All ids of the node, where only they lead to the older items. */
  readonly ids?: readonly ItemId[]
}

export interface Subscription {
  readonly address: NodeAddress
  readonly state: string
}

export interface Affiliation {
  /** Whose: of a service the asker's own, of a node its people's. */
  readonly jid?: BareJid
  readonly node: string
  readonly affiliation: string
}

/** XEP-0060 and XEP-0163 as one account sees them. Every failure is an AppError. */
export interface Pubsub {
  createNode(address: NodeAddress, config: NodeConfig): Promise<'created' | 'exists'>
  readConfig(address: NodeAddress): Promise<NodeConfig>
  /** Leaves out what the service refuses, and returns what it really has afterwards. */
  configureNode(address: NodeAddress, wanted: NodeConfig): Promise<NodeConfig>
  deleteNode(address: NodeAddress): Promise<void>
  purgeNode(address: NodeAddress): Promise<void>
  publishItem(address: ItemAddress, payload: Element): Promise<void>
  /** Fine when there is no such item. */
  retractItem(address: ItemAddress): Promise<void>
  findItem(address: ItemAddress): Promise<Item | undefined>
  listItems(address: NodeAddress, query?: ItemQuery): Promise<ItemPage>
  /** Pages of the whole node, newest first where the service pages; else one page. */
  allItems(address: NodeAddress, limits?: ItemLimits): AsyncIterable<readonly Item[]>
  /** The same with what tells how far it got; throws `too-large` where the service does not give the older items. */
  pages(address: NodeAddress, limits?: PageLimits): AsyncGenerator<NodePage>
  /** Only the ids, where the service lists them (disco#items); undefined where it does not. */
  listItemIds(address: NodeAddress): Promise<readonly ItemId[] | undefined>
  /** Those of the named items that there are. COMPAT(ejabberd): for more than one it reads the whole node. */
  findItems(address: NodeAddress, ids: readonly ItemId[]): Promise<readonly Item[]>
  /** How many items the node has, where the service counts them (XEP-0059) without sending them. */
  countItems(address: NodeAddress): Promise<number | undefined>
  /** `isPublic` lets everybody know, or nobody any more, where the account's server does that (XEP-0465). */
  subscribeNode(address: NodeAddress, options?: { readonly isPublic?: boolean }): Promise<'subscribed' | 'pending'>
  unsubscribeNode(address: NodeAddress): Promise<void>
  /** The account's own subscriptions at a service. */
  listSubscriptions(service: BareJid): Promise<readonly Subscription[]>
  /** Of a node: its people (owners only). Of a service: the account's own. */
  listAffiliations(where: BareJid | NodeAddress): Promise<readonly Affiliation[]>
  /** Who is subscribed to a node (owners only), where its service tells. */
  listSubscribers(address: NodeAddress): Promise<readonly BareJid[]>
  /** Owners only: `none` forgets an affiliation, `outcast` shuts out. */
  setAffiliation(
    address: NodeAddress,
    jid: BareJid,
    affiliation: 'owner' | 'publisher' | 'member' | 'outcast' | 'none',
  ): Promise<void>
}

export type PubsubEvent =
  | { readonly kind: 'published'; readonly address: ItemAddress; readonly item?: Item }
  | { readonly kind: 'retracted'; readonly address: ItemAddress }
  | { readonly kind: 'purged'; readonly address: NodeAddress }
  /** With the fields that its service tells (`pubsub#`…), without that. */
  | { readonly kind: 'configured'; readonly address: NodeAddress; readonly config?: NodeConfig }
  | { readonly kind: 'deleted'; readonly address: NodeAddress /** an XMPP URI */; readonly redirect?: string }
  | { readonly kind: 'subscription'; readonly address: NodeAddress; readonly state: string }

export type { ItemId }
