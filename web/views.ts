import type { SafeHtml } from '#shared/markup.ts'

/** A page before it is printed. All dates are ISO 8601 strings, all addresses ready for an `href`. */
export interface Layout {
  readonly siteTitle: string
  /** The folder of styles, scripts and fonts: `/assets/HASH`. */
  readonly assets: string
  /** BCP 47: of the page's own words when there are such words, else English is used. */
  readonly language?: string
  /** Of the document; the site's title is added. */
  readonly title: string
  readonly description?: string
  readonly canonical?: string
  readonly noindex?: boolean
  /** Atom feeds of this page, the first one named in the footer. */
  readonly feeds?: readonly { readonly href: string; readonly title: string }[]
  /** The `xmpp:` address of what the page shows. */
  readonly xmppUri?: string
  readonly ogType?: 'website' | 'article'
  /** Who is signed in. */
  readonly person?: {
    readonly name: string
    /** Tells this browser's session from others. */
    readonly session: string
    readonly mayWrite: boolean
    readonly unread?: UnreadView
  }
  readonly notices?: readonly Notice[]
  /** Seconds after which a browser without scripts asks again. */
  readonly refresh?: number
}

/** Notifications that somebody has not read: 100 stand for more. */
export interface UnreadView {
  readonly count: number
  readonly url: string
  /** Where pages that listen to nothing else are told of it. */
  readonly liveUrl: string
}

/** Stays on the page until what it says is solved. */
export interface Notice {
  /** The first, bold words: "Not published." */
  readonly lead: string
  readonly text: string
  readonly link?: { readonly href: string; readonly text: string }
  readonly kind?: 'error' | 'waiting'
}

export interface PersonView {
  readonly name: string
  /** The address, or the mark in a room, that stands beside a name which does not tell who is meant. */
  readonly beside?: string
  readonly jid?: string
  readonly url?: string
}

export interface PostView {
  readonly url: string
  readonly title: string
  /** A note: its title is only the beginning of its text. */
  readonly isUntitled: boolean
  readonly html: SafeHtml
  /** Plain text of 200 characters at most. */
  readonly excerpt: string
  readonly summary?: string
  readonly published: string
  /** Set only where the post was edited. */
  readonly edited?: string
  readonly author?: PersonView
  /** The service that says so, where that proves nothing. */
  readonly accordingTo?: string
  readonly isUnverified?: boolean
  readonly blog: { readonly title: string; readonly url: string }
  readonly tags: readonly { readonly name: string; readonly url: string }[]
  readonly language?: string
  readonly commentCount: number
  /** Where there are any. */
  readonly heartCount?: number
  /** Of a repost. */
  readonly repost?: RepostView | undefined
  readonly shareUrl?: string
  /** Whether comments are possible at all. */
  readonly hasComments: boolean
  readonly editUrl?: string
  readonly deleteUrl?: string
  /** For who owns the community: shuts the writer out. */
  readonly blockUrl?: string
  /** Written here and not on the network yet. */
  readonly waiting?: WaitingView
  /** Arrived since they follow, and not opened. */
  readonly isNew?: boolean | undefined
  /** In `web/entries/`; `post` unless told. */
  readonly template?: string
  /** Beside its text: through our own address. */
  readonly pictures?: readonly PictureView[]
}

/** The original of a repost. */
export interface RepostView {
  /** Its page, here or where its author has it; else its `xmpp:` address. */
  readonly url: string
  readonly name?: string
  /** Whether the original's own node says that it is theirs. */
  readonly isProved: boolean
}

/** Who shared a post. */
export interface SharesView {
  readonly count: number
  /** The newest. */
  readonly people: readonly PersonView[]
}

export interface ShareView {
  readonly layout: Layout
  readonly post: { readonly title: string; readonly url: string; readonly author?: string }
  readonly quoteUrl: string
  readonly jid: string
  /** Where it may be shared by them. */
  readonly form?: { readonly action: string; readonly token: string; readonly key: string; readonly words: string }
  /** Why it cannot be, or could not be. */
  readonly problem?: string
  /** Their own repost. */
  readonly own?: string
}

export interface PictureView {
  readonly src: string
  /** '' where its author said nothing. */
  readonly alt: string
}

export interface WaitingView {
  readonly reason: string
  readonly nextTry?: string
  /** A final refusal: nothing is tried again by itself. */
  readonly isRefused?: boolean
  /** What waits is the removal of what is there. */
  readonly isRemoval?: boolean
}

export interface CommentView {
  /** The element's id on the page. */
  readonly id: string
  readonly author: PersonView
  /** Written by the author of the post. */
  readonly isAuthor: boolean
  readonly isUnverified: boolean
  readonly accordingTo?: string
  readonly published: string
  /** When it was last edited, if it was. */
  readonly edited?: string
  readonly html: SafeHtml
  readonly language?: string
  /** 0 to 3. */
  readonly depth: number
  /** Permanent; absent while it is on its way. */
  readonly url?: string
  /** Whom it answers, where its place does not tell. */
  readonly to?: string
  readonly toUrl?: string
  /** Said in the blog's room. */
  readonly isFromRoom?: boolean
  /** Waits for approval: only who wrote it sees it. */
  readonly isHeld?: boolean
  /** Published by our own site account: whose it is, and how they proved it. */
  readonly proof?: { readonly site: string; readonly jid: string; readonly how?: 'message' | 'confirm' }
  /** Where to join for who has not, to answer what was said there. */
  readonly roomUrl?: string
  /** The `xmpp:` or web address of what it answers, for u-in-reply-to. */
  readonly inReplyTo?: string
  readonly replyUrl?: string
  readonly removeUrl?: string
  readonly reportUrl?: string
  /** For who looks after the blog. */
  readonly blockUrl?: string
  readonly waiting?: WaitingView
  /** Of a refused one: to forget it, or to have its text back in the form. */
  readonly discard?: {
    readonly action: string
    readonly token: string
    readonly row: number
    readonly mayEdit: boolean
  }
}

export interface FollowView {
  /** Where everybody may read it. */
  readonly feedUrl?: string
  readonly xmppUri: string
  /** The XMPP address to type into a client: the account, or the service of a community. */
  readonly jid: string
  /** For a community: its node on that service. */
  readonly node?: string
}

export interface FollowButtonView {
  readonly token: string
  readonly action: string
  readonly uri: string
  readonly isFollowed: boolean
  /** Where to come back to. */
  readonly next: string
}

export interface PagingView {
  readonly newerUrl?: string
  readonly olderUrl?: string
}

/** For the live script: where to listen, and what the page already shows. */
export interface LiveView {
  readonly url: string
  readonly version: string
}

export interface HomeView {
  readonly layout: Layout
  readonly posts: readonly PostView[]
  readonly paging: PagingView
  readonly writeUrl?: string
}

export interface BlogView {
  readonly layout: Layout
  readonly title: string
  readonly description?: string
  readonly url: string
  readonly author: PersonView
  readonly language?: string
  readonly follow: FollowView
  /** Of somebody who is signed in. */
  readonly following?: FollowButtonView
  /** Of a follower, where there is anything new. */
  readonly read?: MarkReadView
  /** What its owner lets everybody know that they follow. */
  readonly follows?: readonly ListedView[]
  readonly posts: readonly PostView[]
  /** Of the owner, and only theirs: posts that are not on the network yet. */
  readonly waiting?: readonly PostView[]
  readonly paging: PagingView
  readonly writeUrl?: string
  /** Of a community, for who is signed in. */
  readonly writeHereUrl?: string
  /** For who owns it: who may write there. */
  readonly peopleUrl?: string
  readonly room?: RoomLinkView
  readonly live?: LiveView
  /** Not read from the network yet. */
  readonly isWaiting?: boolean
  /** Why there is no more, where there was. */
  readonly missing?: 'partial' | 'cut' | 'underway' | 'purged'
}

/** By which everything that arrived until then counts as read. */
export interface MarkReadView {
  readonly action: string
  readonly token: string
  readonly until: string
  /** The one feed, by its `xmpp:` address. */
  readonly feed?: string
}

/** What somebody follows. */
export interface TimelineView {
  readonly layout: Layout
  readonly posts: readonly PostView[]
  readonly paging: PagingView
  readonly token: string
  readonly followingUrl: string
  /** Why there is no post. */
  readonly empty?: 'nothing-followed' | 'being-read' | 'no-posts'
  /** Makes a new secret address for the feeds. */
  readonly feedsAction: string
  /** Once there is an address. */
  readonly feeds?: { readonly atomUrl: string; readonly jsonUrl: string }
  readonly showsFeeds?: boolean
  /** Where there is anything new. */
  readonly read?: MarkReadView
  readonly live?: LiveView
}

export type FollowState =
  /** The follower's own account has not done it yet. */
  | 'waiting'
  | 'pending'
  | 'refused'
  | 'unread'
  | 'underway'
  | 'partial'
  | 'cut'
  | 'purged'
  | 'closed'
  | 'deleted'
  | 'unproved'
  /** Its server sends no word of new posts. */
  | 'unheard'

export interface FollowedView {
  readonly title: string
  readonly url: string
  readonly address: string
  readonly uri: string
  /** Of its newest post. */
  readonly newest?: string
  /** When it was last compared with its server. */
  readonly read?: string
  readonly states: readonly FollowState[]
  readonly problem?: string
}

/** What somebody else follows. */
export interface ListedView {
  readonly title: string
  /** Its page here, where there is one. */
  readonly url?: string
  readonly followUrl?: string
}

export interface FollowingView {
  readonly layout: Layout
  readonly token: string
  /** In the field of the form, with what is wrong with it. */
  readonly typed: string
  readonly problem?: string
  readonly communitiesUrl: string
  readonly follows: readonly FollowedView[]
  readonly isPublic: boolean
  /** Of a list that was imported just now. */
  readonly notImported?: readonly { readonly title: string; readonly problem: string }[]
  readonly theirs?: { readonly jid: string; readonly problem?: string; readonly list: readonly ListedView[] }
}

export interface PreviewedPostView {
  readonly title: string
  readonly isUntitled: boolean
  readonly excerpt: string
  readonly language?: string
  readonly published?: string
  readonly author?: PersonView
}

/** A look before following. */
export interface FollowPreviewView {
  readonly layout: Layout
  readonly token: string
  readonly title: string
  readonly description?: string
  readonly language?: string
  /** What its owner is called. */
  readonly name?: string
  readonly address: string
  readonly uri: string
  /** Its page here, once it is followed. */
  readonly url: string
  readonly avatar?: string
  readonly feedUrl?: string
  readonly posts: readonly PreviewedPostView[]
  readonly problem?: string
  readonly mayFollow: boolean
  readonly isFollowed: boolean
}

export interface TagView {
  readonly layout: Layout
  readonly tag: string
  /** The blog whose tag it is; absent for the whole site. */
  readonly blog?: { readonly title: string; readonly url: string }
  readonly posts: readonly PostView[]
  readonly paging: PagingView
}

export interface ReactionsView {
  readonly chips: readonly {
    readonly emoji: string
    /** As a page shows it. */
    readonly shown: string
    readonly count: number
    readonly isOwn: boolean
  }[]
  readonly whoUrl?: string
  /** For who is signed in. */
  readonly form?: { readonly action: string; readonly token: string }
  /** Where the post takes more than hearts. */
  readonly offered?: readonly string[]
  readonly signinUrl?: string
  /** Why the last one was not sent. */
  readonly problem?: string
}

/** Who reacted to a post. */
export interface ReactorsView {
  readonly layout: Layout
  readonly post: { readonly title: string; readonly url: string }
  readonly counts: readonly { readonly shown: string; readonly count: number }[]
  readonly people: readonly (PersonView & { readonly emoji: string })[]
  readonly earlierUrl?: string
  readonly laterUrl?: string
}

export interface PostPageView {
  readonly layout: Layout
  readonly post: PostView
  readonly reactions?: ReactionsView
  readonly follow: FollowView
  /** One page of them. */
  readonly comments: readonly CommentView[]
  /** Of the whole thread, where that is more. */
  readonly commentCount?: number
  /** Whether there are more comments than are read, or given by their service. */
  readonly isCut?: boolean
  /** There are comments that this reader may not see: at all without signing in, or until their account could read them. */
  readonly unshown?: 'signed-out' | 'unproved'
  /** Of a long thread. */
  readonly pages?: ThreadPagesView
  readonly form?: CommentFormView
  /** For whoever cannot write one here. */
  readonly howTo?: {
    readonly signinUrl: string
    /** The comments node, for an XMPP client. */
    readonly xmppUri: string
    /** Whose accounts may sign in here; absent for any. */
    readonly domains?: string
    /** Absent where nothing could be proved, always or while the site's own account is not connected. */
    readonly visitor?: VisitorFormView | undefined
    /** It is absent for the latter reason. */
    readonly isOffline?: boolean
  }
  /** Why nobody can comment. */
  readonly closed?: string
  /** Of a repost: where people talk about it. */
  readonly original?: { readonly url: string; readonly commentCount: number }
  readonly shares?: SharesView | undefined
  readonly moderation?: ModeratePostView
  readonly reportUrl?: string
  readonly threadWish?: ThreadWishView
  readonly commentsFeedUrl?: string
  readonly room?: RoomLinkView
  readonly live?: LiveView
}

/** The ways through a long thread: arranged, or by date. */
export interface ThreadPagesView {
  readonly previousUrl?: string
  readonly nextUrl?: string
  readonly newestUrl?: string
  readonly number?: number
  readonly numbers?: number
  /** The other view of it. */
  readonly flatUrl?: string
  readonly treeUrl?: string
}

export interface CommentFormView {
  readonly action: string
  /** Where to ask who can be mentioned, as one types. */
  readonly peopleUrl?: string
  readonly token: string
  readonly key: string
  readonly jid: string
  readonly text?: string
  readonly replyTo?: { readonly name: string; readonly item: string; readonly cancelUrl: string }
  readonly problem?: string
  /** Not everybody may read what is written. */
  readonly isRestricted?: boolean
}

/** For who is not signed in. */
export interface VisitorFormView extends Omit<CommentFormView, 'token' | 'jid' | 'isRestricted'> {
  readonly name?: string
  /** Whom to ask. */
  readonly jid?: string
  readonly jidProblem?: string
}

/** How a comment of somebody who is not signed in stands. */
export interface ProofView {
  readonly layout: Layout
  /** `asked` waits for the answer to a question, `waiting` for the code. */
  readonly standing: 'waiting' | 'asked' | 'expired' | 'denied' | 'refused' | 'proved' | 'held' | 'published' | 'gone'
  readonly siteJid: string
  readonly code: string
  readonly codeUri: string
  readonly asked?: string
  /** Whose it was proved to be. */
  readonly jid?: string
  readonly problem?: string
  readonly expires: string
  readonly html: SafeHtml
  readonly postUrl: string
  readonly again?: { readonly action: string; readonly fields: Readonly<Record<string, string>> }
  readonly live?: LiveView
}

export interface SigninView {
  readonly layout: Layout
  readonly token: string
  readonly next?: string
  readonly jid?: string
  /** Whose accounts may sign in; absent for any. */
  readonly domains?: string
  readonly example: string
  readonly problem?: string
  /** The field that is wrong. */
  readonly field?: 'jid' | 'password'
}

export interface WriteView {
  readonly layout: Layout
  /** Whose text it is: what the script keeps in the browser comes back for this account only. */
  readonly jid: string
  readonly action: string
  readonly token: string
  readonly key: string
  /** When the version being edited was updated. */
  readonly base?: string
  readonly isEdit: boolean
  readonly title: string
  readonly text: string
  readonly tags: string
  readonly language: string
  readonly summary: string
  readonly comments: boolean
  readonly languages: readonly { readonly code: string; readonly name: string }[]
  readonly savedAt?: string
  readonly words: number
  /** Where the script saves drafts. */
  readonly saveUrl: string
  readonly draftsUrl: string
  readonly draftCount: number
  /** The community that it is for. */
  readonly to?: { readonly uri: string; readonly title: string; readonly url: string }
  /** Of a gallery: the pictures it has so far. */
  readonly pictures?: readonly {
    readonly href: string
    readonly type: string
    readonly alt: string
    readonly src: string
  }[]
  /** The words typed for a picture that could not be added. */
  readonly pictureAlt?: string
  readonly deleteUrl?: string
  readonly cancelUrl?: string
  readonly problem?: { readonly field: 'title' | 'text' | 'tags' | 'summary'; readonly text: string }
}

/** The published page, before it is published: the write form follows below it. */
export interface PreviewView extends WriteView {
  readonly post: PostView
}

export interface DraftsView {
  readonly layout: Layout
  readonly token: string
  readonly writeUrl: string
  readonly drafts: readonly {
    readonly url: string
    readonly title: string
    readonly savedAt: string
    /** A draft of changes to this post. */
    readonly edits?: string
    readonly deleteAction: string
  }[]
  readonly outbox: readonly {
    readonly title: string
    readonly url?: string
    readonly waiting: WaitingView
    readonly retryAction?: string
    readonly dropAction?: string
  }[]
}

/** A node that a service lists. */
export interface ListedNodeView {
  readonly title: string
  /** Of the node. */
  readonly name: string
  readonly description?: string
  readonly kind: 'posts' | 'gallery' | 'unknown'
  readonly count?: number
  readonly xmppUri: string
  /** Its page, where it has one here. */
  readonly url?: string
  readonly isFollowed: boolean
}

export interface CommunitiesView {
  readonly layout: Layout
  /** Made here. */
  readonly own: readonly { readonly title: string; readonly description?: string; readonly url: string }[]
  /** For who is signed in. */
  readonly browser?: { readonly service: string; readonly problem?: string; readonly newUrl: string }
  readonly browsed?: {
    readonly service: string
    readonly nodes: readonly ListedNodeView[]
    readonly isCut: boolean
    readonly token: string
  }
}

export interface CommunityNewView {
  readonly layout: Layout
  readonly token: string
  readonly key: string
  readonly service: string
  readonly title: string
  readonly description: string
  readonly kind: string
  readonly who: string
  readonly people: string
}

export interface CommunityPeopleView {
  readonly layout: Layout
  readonly token: string
  /** The `xmpp:` URI of the community. */
  readonly of: string
  readonly community: { readonly title: string; readonly url: string }
  /** Whether everybody may write there. */
  readonly isOpen: boolean
  readonly owners: readonly string[]
  readonly publishers: readonly string[]
  readonly blocked: readonly string[]
}

/** A question with one yes, and a way back. */
export interface ConfirmView {
  readonly layout: Layout
  readonly heading: string
  readonly text: string
  readonly list?: readonly string[]
  readonly action: string
  readonly token: string
  readonly button: string
  readonly cancelUrl: string
  readonly fields?: Readonly<Record<string, string>>
}

export interface SettingsView {
  readonly layout: Layout
  readonly token: string
  readonly action: string
  readonly signoutAction: string
  readonly jid: string
  readonly name: string
  /** Only who may blog has these. */
  readonly blog?: {
    readonly title: string
    readonly description: string
    readonly language: string
    readonly url: string
  }
  readonly languages: readonly { readonly code: string; readonly name: string }[]
  readonly draftsUrl?: string
  readonly moderationUrl?: string
  readonly reportsUrl?: string
  readonly room?: RoomSettingsView
  readonly messages?: { readonly action: string; readonly isOn: boolean }
}

export interface ErrorView {
  readonly layout: Layout
  readonly status: number
  /** What happened and what to do, in sentences. */
  readonly text: string
  readonly link?: { readonly href: string; readonly text: string }
}

/** What somebody wants to hear of a thread. */
export interface ThreadWishView {
  readonly action: string
  readonly token: string
  readonly wish?: 'follow' | 'mute'
}

/** One line of somebody's notifications. */
export interface NoticeView {
  readonly kind: 'comment' | 'reply' | 'mention' | 'reaction' | 'repost' | 'follower' | 'held' | 'report'
  /** Whom it is by: '' where that is not known. */
  readonly name: string
  readonly others: number
  readonly url: string
  /** Of the post; absent where it is not known, or not shown any more. */
  readonly title?: string
  readonly isOfRoom: boolean
  readonly text: string
  readonly published: string
  readonly isUnread: boolean
}

/** What there is to know for somebody. */
export interface NotificationsView {
  readonly layout: Layout
  readonly token: string
  readonly days: readonly { readonly published: string; readonly notices: readonly NoticeView[] }[]
  /** Marks everything up to there as read. */
  readonly read?: { readonly action: string; readonly until: string }
  readonly olderUrl?: string
  readonly newestUrl?: string
  readonly settingsUrl: string
  /** Makes a secret address for the feeds, or a new one. */
  readonly feedsAction: string
  readonly feeds?: { readonly atomUrl: string; readonly jsonUrl: string }
  readonly showsFeeds: boolean
  readonly live?: LiveView
}

/** The way to the room of a blog. */
export interface RoomLinkView {
  readonly url: string
  readonly peopleCount: number
}

/** One thing said in a room. */
export interface TalkView {
  /** The element's id on the page. */
  readonly id: string
  /** Permanent; absent while it is on its way. */
  readonly url?: string
  readonly published: string
  readonly html: SafeHtml
  readonly isEdited?: boolean
  /** The post that it announces (`isNew`), or whose thread it is in. */
  readonly post?: { readonly title: string; readonly url: string; readonly isNew: boolean }
  /** What it answers; without a name where that is on another page. */
  readonly to?: { readonly name?: string; readonly url: string }
  readonly replyUrl?: string
  readonly removeUrl?: string
  /** Shown to its writer alone, until the owner has approved it. */
  readonly isHeld?: boolean
  readonly waiting?: WaitingView
}

/** What one person says in one go. */
export interface TalkGroupView {
  readonly name?: string
  /** Whose room it is. */
  readonly isOwner: boolean
  readonly messages: readonly TalkView[]
}

export interface RoomFormView {
  readonly action: string
  readonly token: string
  readonly key: string
  /** What they are called in the room. */
  readonly name: string
  readonly text?: string
  readonly problem?: string
  readonly replyTo?: {
    readonly name?: string
    readonly item: string
    readonly text: string
    readonly cancelUrl: string
  }
  /** Where to ask who can be mentioned, as one types. */
  readonly peopleUrl: string
  readonly leaveAction: string
}

/** A day in the room of a blog; nobody's address is on it. */
export interface RoomView {
  readonly layout: Layout
  readonly blog: { readonly title: string; readonly url: string; readonly language?: string }
  /** In UTC; absent while nothing was ever said. */
  readonly day?: string
  readonly talk: readonly TalkGroupView[]
  /** Earlier and later on the same day. */
  readonly earlierUrl?: string
  readonly laterUrl?: string
  readonly previousDay?: { readonly url: string; readonly day: string }
  readonly nextDay?: { readonly url: string; readonly day: string }
  /** Where the newest is, if not on this page. */
  readonly nowUrl?: string
  readonly people: readonly { readonly name?: string; readonly isOwner: boolean }[]
  readonly peopleCount: number
  /** Who has joined speaks. */
  readonly form?: RoomFormView
  readonly join?: { readonly action: string; readonly token: string; readonly name: string; readonly problem?: string }
  /** While the server of who reads has not answered yet. */
  readonly joining?: WaitingView
  /** Why who is signed in cannot join. */
  readonly closed?: string
  readonly howTo?: { readonly signinUrl: string; readonly xmppUri: string; readonly domains?: string }
  readonly live?: LiveView
}

/** What could not be said in a room, to copy it. */
export interface RoomUnsentView {
  readonly layout: Layout
  readonly heading: string
  readonly text: string
  readonly back: { readonly title: string; readonly url: string }
}

/** Of a blog's owner: the room, or how to open one. */
export interface RoomSettingsView {
  readonly token: string
  readonly key: string
  readonly openAction: string
  readonly closeUrl: string
  readonly room?: { readonly url: string; readonly xmppUri: string; readonly waiting?: WaitingView }
  /** Where it is on its way, or was refused. */
  readonly waiting?: WaitingView
}

/** Every page by the name of its template. */
/** Something that was said under a post, for who looks after the blog. */
export interface JudgedView {
  /** `xmpp:`, for the forms. */
  readonly uri: string
  readonly name: string
  /** Who can be blocked. */
  readonly jid?: string
  readonly server?: string
  readonly html: SafeHtml
  readonly language?: string
  readonly published: string
  readonly why?: 'link' | 'stranger' | 'too-many' | 'closed'
  readonly post?: { readonly title: string; readonly url: string }
  /** Of the blog, for the forms. */
  readonly blog: string
}

/** What waits for who looks after a blog, what was removed, and who is shut out. */
export interface ModerationView {
  readonly layout: Layout
  readonly token: string
  /** What was done just now, and the form that takes it back. */
  readonly done?: DoneView
  /** One that was asked for, and is shown. */
  readonly about?: JudgedView
  readonly held: readonly JudgedView[]
  readonly removed: readonly JudgedView[]
  readonly moreUrl?: string
  readonly blocks: readonly { readonly jid: string; readonly blog: string; readonly title: string }[]
  /** Of who has a blog here. */
  readonly holds?: 'links' | 'strangers' | 'nobody'
}

export interface DoneView {
  readonly text: string
  readonly action: string
  readonly token: string
  /** Of the form for *Undo*; absent where that is not possible. */
  readonly undo?: Readonly<Record<string, string>>
}

/** Of a post, for who looks after its comments. */
export interface ModeratePostView {
  readonly action: string
  readonly token: string
  readonly isClosed: boolean
  readonly moderationUrl: string
}

/** Something is wrong with a post or a comment: said to who runs the site. */
export interface ReportView {
  readonly layout: Layout
  readonly action: string
  readonly token: string
  readonly isComment: boolean
  readonly quoted: string
  readonly cancelUrl: string
  readonly reason: string
  readonly problem?: string
  readonly isSent: boolean
}

export interface ReportsView {
  readonly layout: Layout
  readonly token: string
  readonly done?: DoneView
  readonly reports: readonly {
    readonly id: string
    readonly reason: string
    readonly reporter?: string
    readonly published: string
    /** What tells its buttons from others: who wrote it or, where nobody knows, what is said against it. */
    readonly about: string
    readonly text: string
    readonly url?: string
    readonly jid?: string
    readonly server?: string
    readonly node?: string
    readonly isGone: boolean
  }[]
  readonly moreUrl?: string
  readonly hidden: readonly { readonly uri: string; readonly text: string; readonly since: string }[]
  readonly blocks: readonly { readonly address: string; readonly kind: string; readonly since: string }[]
  readonly typed: string
  readonly problem?: string
}

export interface Views {
  readonly moderation: ModerationView
  readonly report: ReportView
  readonly reports: ReportsView
  readonly home: HomeView
  readonly notifications: NotificationsView
  readonly blog: BlogView
  readonly timeline: TimelineView
  readonly tag: TagView
  readonly following: FollowingView
  readonly 'follow-preview': FollowPreviewView
  readonly post: PostPageView
  readonly reactions: ReactorsView
  readonly proof: ProofView
  readonly signin: SigninView
  readonly write: WriteView
  readonly preview: PreviewView
  readonly drafts: DraftsView
  readonly communities: CommunitiesView
  readonly 'community-new': CommunityNewView
  readonly 'community-people': CommunityPeopleView
  readonly share: ShareView
  readonly confirm: ConfirmView
  readonly settings: SettingsView
  readonly room: RoomView
  readonly 'room-unsent': RoomUnsentView
  readonly error: ErrorView
}
