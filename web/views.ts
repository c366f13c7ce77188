import type { SafeHtml } from '#shared/markup.ts'

/** What every page has. Words are chosen by `language`; the page's direction follows from the words found. */
export interface Layout {
  readonly siteTitle: string
  /** First part of <title>; the site's title alone where it is missing. */
  readonly pageTitle?: string
  /** The wanted language (BCP 47), such as the blog's; English where `web/languages/` has no such words. */
  readonly language?: string
  readonly description?: string
  /** Absolute. */
  readonly canonical?: string
  readonly alternates?: readonly Alternate[]
  readonly openGraph?: OpenGraph
  readonly noindex?: boolean
  readonly user?: User
  /** `/signin`, with `next` of this page. */
  readonly signInUrl?: string
  /** Value of the hidden field `_csrf` that every form carries. */
  readonly csrfToken?: string
  readonly notice?: Notice
  /** Logical name (`style.css`, `scripts/time.js`, `fonts/NAME.woff2`) to address; `/assets/NAME` where missing. */
  readonly assets?: Readonly<Record<string, string>>
  /** The feed named in the footer. */
  readonly feedUrl?: string
  /** `EventSource` address; events `comments` and `post` say that this page has something new. */
  readonly liveUrl?: string
  /** Only for tests and the bench: what "this year" is. */
  readonly now?: Date
}

export interface Alternate {
  readonly href: string
  /** None for `xmpp:`. */
  readonly type?: 'application/atom+xml' | 'application/feed+json' | 'text/html'
  readonly title?: string
}

export interface OpenGraph {
  readonly type: 'website' | 'article' | 'profile'
  readonly title: string
  readonly url: string
  readonly description?: string
  readonly image?: string
  readonly published?: Date
  readonly updated?: Date
  readonly author?: string
  readonly tags?: readonly string[]
}

export interface User {
  readonly jid: string
  readonly name: string
  readonly mayWrite: boolean
}

/** A sentence that stays until solved: a known one by name (worded in the page's language), or free words. */
export type Notice =
  | { readonly name: NoticeName; readonly action?: Link }
  | { readonly strong: string; readonly text: string; readonly isQuiet?: boolean; readonly action?: Link }

export type NoticeName =
  | 'session-ended'
  | 'signed-out'
  | 'form-expired'
  | 'offline'
  | 'draft-saved'
  | 'settings-saved'
  | 'post-deleted'
  | 'empty-post'
  | 'too-large'
  | 'edited-elsewhere'
  | 'empty-comment'

export interface Link {
  readonly url: string
  readonly text: string
}

/** Who wrote it (design.md): `according` needs the service, `unverified` shows the claimed name as a claim. */
export interface Byline {
  readonly credit: 'credited' | 'according' | 'unverified'
  /** Never empty: the name, else the address. */
  readonly name: string
  readonly jid?: string
  readonly url?: string
  readonly service?: string
}

/** A row of the outbox as its author sees it. */
export interface Waiting {
  readonly status: 'waiting' | 'refused'
  /** A whole sentence, such as "capulet.example does not answer." */
  readonly problem?: string
  readonly nextTry?: Date
}

/** A post in a list. */
export interface PostItem {
  readonly url: string
  readonly title: string
  /** A note: shows `html` (or the excerpt) and no heading. */
  readonly isUntitled: boolean
  readonly excerpt: string
  readonly html?: SafeHtml
  readonly published: Date
  readonly author: Byline
  readonly blog?: { readonly title: string; readonly url: string }
  readonly tags?: readonly Link[]
  readonly language?: string
  /** Missing: no comments here. */
  readonly commentCount?: number
  readonly waiting?: Waiting
}

/** A post on its own page. */
export interface Post {
  readonly url: string
  /** Absolute, as in the feed: where the post is on the web. */
  readonly permalink: string
  readonly title: string
  readonly isUntitled: boolean
  readonly summary?: string
  readonly html: SafeHtml
  readonly published: Date
  /** Only where the post was edited. */
  readonly edited?: Date
  readonly author: Byline
  readonly blog?: { readonly title: string; readonly url: string }
  readonly tags: readonly Link[]
  readonly language?: string
  readonly editUrl?: string
  readonly deleteUrl?: string
  readonly waiting?: Waiting
}

export interface Comment {
  /** The element's id, unique in the page, `[A-Za-z0-9_-]+`: peers link to it. */
  readonly anchor: string
  readonly author: Byline
  /** Written by the author of the post. */
  readonly isByAuthor: boolean
  readonly html: SafeHtml
  readonly published: Date
  /** 0 is an answer to the post; past 3 it is set flat with "to NAME". */
  readonly depth: number
  readonly inReplyTo?: { readonly name: string; readonly anchor: string }
  readonly language?: string
  /** Address of this page with the reply form open, such as `?reply=ID#write`. */
  readonly replyUrl?: string
  /** POST address that removes it. */
  readonly removeUrl?: string
  readonly waiting?: Waiting
}

export interface Comments {
  readonly items: readonly Comment[]
  /** For those who may comment here. */
  readonly form?: CommentForm
  /** For those who cannot: how to from their own client; the comments node. */
  readonly xmppUri?: string
  readonly signInUrl?: string
  readonly feedUrl?: string
  /** No comments node: the author has turned comments off. */
  readonly isOff?: boolean
}

/** Posts `_csrf`, `key`, `reply` (the id below) and `comment` to `action`. */
export interface CommentForm {
  readonly action: string
  readonly key: string
  readonly jid: string
  readonly text?: string
  readonly replyTo?: { readonly id: string; readonly name: string; readonly cancelUrl: string }
}

/** What *Follow this blog* shows as text to copy. */
export interface Follow {
  /** Absolute. */
  readonly feedUrl: string
  /** `xmpp:juliet@capulet.example?;node=…` */
  readonly xmppUri: string
  /** What most clients want typed: `juliet@capulet.example`. */
  readonly jid: string
}

export interface Paging {
  readonly olderUrl?: string
  readonly newerUrl?: string
}

export interface HomeView {
  readonly layout: Layout
  readonly description?: string
  readonly posts: readonly PostItem[]
  readonly paging: Paging
}

export interface BlogView {
  readonly layout: Layout
  readonly blog: Blog
  readonly posts: readonly PostItem[]
  readonly paging: Paging
  readonly follow?: Follow
}

export interface Blog {
  readonly url: string
  readonly title: string
  readonly description?: string
  readonly author: Byline
  readonly language?: string
  /** Not indexed yet. */
  readonly isWaiting?: boolean
  /** The reader's own: the empty state offers *Write the first post*. */
  readonly isOwn?: boolean
  readonly tags?: readonly Link[]
}

export interface TagView {
  readonly layout: Layout
  readonly tag: string
  /** None for `/tag/TAG`. */
  readonly blog?: { readonly title: string; readonly url: string; readonly language?: string }
  readonly feedUrl?: string
  readonly posts: readonly PostItem[]
  readonly paging: Paging
}

export interface PostView {
  readonly layout: Layout
  readonly post: Post
  readonly comments: Comments
  readonly follow?: Follow
}

/** Posts `_csrf`, `next`, `address` and `password` to `action`. */
export interface SigninView {
  readonly layout: Layout
  readonly action: string
  readonly next?: string
  readonly address?: string
  /** Shown below the field; none is any account (`*`). */
  readonly domains?: readonly string[]
  readonly problem?: 'wrong' | 'bad-address' | 'domain' | 'too-many' | 'unavailable'
  readonly retryMinutes?: number
}

/** Posts `_csrf`, `key`, `draft`, `updated` and the fields of `Draft` to `action` with `do` = publish | preview | save. */
export interface WriteView {
  readonly layout: Layout
  readonly kind: 'new' | 'edit'
  readonly action: string
  readonly form: DraftForm
  /** Saves by script: POST of the same form with `do=save`, answered as JSON `{draft, saved}`; else no autosave. */
  readonly autosaveUrl?: string
  readonly savedAt?: Date
  readonly draftsUrl?: string
  readonly draftCount?: number
  /** Edit only. */
  readonly post?: Link
  readonly deleteUrl?: string
  readonly problems?: { readonly title?: string; readonly text?: string; readonly tags?: string }
}

/** Hidden and visible fields of the desk; the preview carries the same. */
export interface DraftForm {
  /** Idempotence key: one form, one post. */
  readonly key: string
  readonly draft?: string
  /** ISO date of the version that is being edited. */
  readonly updated?: string
  readonly title: string
  readonly text: string
  /** Words with commas between them. */
  readonly tags: string
  readonly language: string
  readonly summary: string
  /** Checkbox `comments`, value `on`. */
  readonly comments: boolean
}

export interface PreviewView {
  readonly layout: Layout
  readonly kind: 'new' | 'edit'
  readonly action: string
  readonly form: DraftForm
  readonly post: Pick<Post, 'title' | 'isUntitled' | 'html' | 'published' | 'author' | 'blog' | 'tags' | 'language'>
}

export interface DraftsView {
  readonly layout: Layout
  readonly drafts: readonly DraftItem[]
  readonly waiting: readonly WaitingItem[]
}

export interface DraftItem {
  readonly url: string
  readonly title: string
  readonly excerpt: string
  readonly savedAt: Date
  readonly words: number
  /** The post that it edits. */
  readonly post?: Link
  readonly deleteAction: string
}

/** What the outbox still holds of this person. */
export interface WaitingItem {
  readonly kind: 'post' | 'edit' | 'delete' | 'comment' | 'remove-comment' | 'settings'
  readonly title: string
  readonly url?: string
  readonly createdAt: Date
  readonly waiting: Waiting
  readonly editUrl?: string
  readonly retryAction?: string
  readonly dropAction?: string
}

/** Posts `_csrf` and `key` to `action`. */
export interface DeleteView {
  readonly layout: Layout
  readonly action: string
  readonly key: string
  readonly post: { readonly title: string; readonly url: string; readonly published: Date; readonly language?: string }
  readonly commentCount: number
}

/** Posts `_csrf`, `key`, `title`, `description`, `name` and `language` to `action`; sign out is POST `/signout`. */
export interface SettingsView {
  readonly layout: Layout
  readonly action: string
  readonly key: string
  readonly jid: string
  readonly name: string
  /** None for those who do not blog here. */
  readonly blog?: { readonly url: string; readonly title: string; readonly description: string; readonly language: string }
  readonly draftsUrl?: string
  readonly signOutAction: string
  readonly waiting?: Waiting
  readonly problems?: { readonly title?: string; readonly name?: string }
}

/** The author's node exists and is not open. Posts `_csrf` and `answer` = yes | no to `action`. */
export interface ConsentView {
  readonly layout: Layout
  readonly action: string
  readonly count: number
  readonly posts: readonly { readonly title: string; readonly published?: Date }[]
  readonly oldest?: Date
  readonly newest?: Date
  /** Where the site account may not read the posts' titles. */
  readonly node: string
}

export interface ErrorView {
  readonly layout: Layout
  readonly status: number
  /** Said below the page's own words for this status, where it helps. */
  readonly message?: string
  readonly retryMinutes?: number
  /** The text of a refused form, so that nothing typed is lost. */
  readonly keptText?: string
}

/** A post that is kept here and not on its node yet: what its author sees at its address. */
export interface WaitingView {
  readonly layout: Layout
  readonly kind: WaitingItem['kind']
  readonly waiting: Waiting
  readonly post?: Pick<Post, 'title' | 'isUntitled' | 'html' | 'published' | 'author' | 'blog' | 'tags' | 'language'>
  readonly editUrl?: string
  readonly retryAction?: string
}

/** Template name to its data: `render(name, data)`. */
export interface Views {
  readonly home: HomeView
  readonly blog: BlogView
  readonly tag: TagView
  readonly post: PostView
  readonly signin: SigninView
  readonly write: WriteView
  readonly preview: PreviewView
  readonly drafts: DraftsView
  readonly delete: DeleteView
  readonly settings: SettingsView
  readonly consent: ConsentView
  readonly error: ErrorView
  readonly waiting: WaitingView
}
