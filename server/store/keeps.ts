import type { StateSchema } from './state-schema.ts'

/** How much of one kind of thing an account may keep: rows, and bytes of all that is written in them. */
export interface Bound {
  readonly rows: number
  readonly bytes: number
}

/** Which rows count, by their columns. */
export interface Only {
  readonly status?: readonly string[]
  /** Kinds of tasks that do not count, unless the task has this field set. */
  readonly kindNot?: { readonly kinds: readonly string[]; readonly unless: string }
}

interface Kept<Table extends keyof StateSchema> {
  readonly table: Table
  /** The column that says whose a row is. */
  readonly owner: keyof StateSchema[Table] & string
  /** All columns of text but the instants, which are ours: a test compares them with the table. */
  readonly texts: readonly (keyof StateSchema[Table] & string)[]
  /** Which rows count; all unless told. */
  readonly only?: Only
  /** The column that tells age, where the oldest rows make room for new ones instead of a refusal. */
  readonly oldest?: keyof StateSchema[Table] & string
  readonly bound: Bound
}

/**
 * Rows of the outbox that Canto makes by itself or that say no more than an address: of each at most one waits for a post or
 * a comment. Those that only ask for something (`isAsked`) count: somebody may ask for what is not theirs.
 */
export const UNBOUND = [
  ...(['relink', 'announce', 'delete', 'remove-comment', 'restore-comment', 'close-thread', 'unfollow'] as const),
] as const

const OUTBOX = {
  table: 'outbox',
  owner: 'account',
  texts: [
    ...(['account', 'formKey', 'kind', 'service', 'node', 'item', 'task', 'status', 'reason', 'problem'] as const),
  ],
} as const

const MB = 1_000_000

/** Everything that an account may keep here, and how much of it, in one table. `CANTO_KEEPS` changes the bounds. */
export const KEEPS = {
  drafts: keep({
    table: 'draft',
    owner: 'jid',
    texts: [...(['jid', 'id', 'edits', 'title', 'text', 'tags', 'language', 'summary', 'target', 'pictures'] as const)],
    bound: { rows: 200, bytes: 20 * MB },
  }),
  unsent: keep({
    ...OUTBOX,
    only: { status: ['waiting', 'refused'], kindNot: { kinds: UNBOUND, unless: 'isAsked' } },
    bound: { rows: 5_000, bytes: 20 * MB },
  }),
  sent: keep({ ...OUTBOX, only: { status: ['done'] }, oldest: 'id', bound: { rows: 5_000, bytes: 20 * MB } }),
  follows: keep({
    table: 'follow',
    owner: 'follower',
    texts: ['follower', 'service', 'node', 'title', 'feedUrl', 'subscription', 'problem'],
    bound: { rows: 2_000, bytes: 4 * MB },
  }),
  communities: keep({
    table: 'community',
    owner: 'owner',
    texts: ['service', 'node', 'owner'],
    bound: { rows: 200, bytes: MB },
  }),
  blocks: keep({
    table: 'block',
    owner: 'by',
    texts: ['service', 'node', 'jid', 'by'],
    bound: { rows: 10_000, bytes: 5 * MB },
  }),
  marks: keep({
    table: 'readMark',
    owner: 'reader',
    texts: ['reader', 'service', 'node', 'item'],
    oldest: 'at',
    bound: { rows: 10_000, bytes: 5 * MB },
  }),
  wishes: keep({
    table: 'threadWish',
    owner: 'jid',
    texts: ['jid', 'service', 'node', 'item', 'wish'],
    oldest: 'since',
    bound: { rows: 5_000, bytes: 5 * MB },
  }),
  browsers: keep({
    table: 'browserSession',
    owner: 'jid',
    texts: ['hash', 'jid', 'password', 'endedReason'],
    oldest: 'createdAt',
    bound: { rows: 50, bytes: MB },
  }),
} as const

export type KeepName = keyof typeof KEEPS
export type BoundName = KeepName | 'uploads'

/** The usual bound of everything that an account may keep. */
export const USUAL_BOUNDS: Readonly<Record<BoundName, Bound>> = {
  ...(Object.fromEntries(Object.entries(KEEPS).map(([name, { bound }]) => [name, bound])) as Record<KeepName, Bound>),
  // Files on the local server: not in the state, but bounded, told and changed in the same way.
  uploads: { rows: 5_000, bytes: 5_000 * MB },
}

/** The bounds that the operator chose; those of the table for all others. */
export type Bounds = Partial<Readonly<Record<BoundName, Bound>>>

function keep<Table extends keyof StateSchema>(kept: Kept<Table>): Kept<Table> {
  return kept
}
