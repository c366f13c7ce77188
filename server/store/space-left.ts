import { sql } from 'kysely'
import { AppError, isAppError } from '#server/errors.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { type Bound, type BoundName, type Bounds, KEEPS, type KeepName, type Only, USUAL_BOUNDS } from './keeps.ts'

/** The context for space checks: the whole app context fits. */
export interface KeepDeps {
  readonly state: StateDb
  readonly config: { readonly keeps?: Bounds }
}

/** The same, whatever the table. */
interface AnyKept {
  readonly table: string
  readonly owner: string
  readonly texts: readonly string[]
  readonly only?: Only
  readonly oldest?: string
}

/** A row to be stored for an account. */
export interface Keeping {
  readonly account: BareJid
  /** The row, as far as it is known: its text counts. */
  readonly row: object
  /** How often the usual bound it may be. */
  readonly times?: number
}

/** In a sentence each: what there is too much of, and what to do. The form is shown again with what was typed. */
const FULL = {
  drafts: {
    rows: (most: string) => `You have ${most} drafts. Delete some, then save this one.`,
    bytes: 'Your drafts are too long in all. Delete some, then save this one.',
  },
  unsent: {
    rows: (most: string) =>
      `${most} things that you sent wait or were refused. Wait until they are sent, or discard what was refused, then try again.`,
    bytes:
      'What you sent and what still waits or was refused is too long in all. Wait until it is sent, or discard what was refused, then try again.',
  },
  follows: {
    rows: (most: string) => `You follow ${most} blogs already. Unfollow some first.`,
    bytes: 'The list of what you follow is too long. Unfollow some first.',
  },
  communities: {
    rows: (most: string) => `You have made ${most} communities here: no more can be made.`,
    bytes: 'You have made too many communities here: no more can be made.',
  },
  blocks: {
    rows: (most: string) => `You have blocked ${most} addresses. Unblock some first, or block a whole server.`,
    bytes: 'You have blocked too many addresses. Unblock some first, or block a whole server.',
  },
  uploads: {
    rows: (most: string) => `You have uploaded ${most} files: no more are taken. Use a picture from the web instead.`,
    bytes: 'Your pictures take all the space that this site gives. Make this one smaller, or use one from the web.',
  },
} as const satisfies Partial<Record<BoundName, { rows: (most: string) => string; bytes: string }>>

type FullName = Exclude<keyof typeof FULL, 'uploads'>

/** Throws `too-many` or `too-large`, with what to do about it, where an account has no space for one row more. */
export async function requireSpace(deps: KeepDeps, name: FullName, keeping: Keeping): Promise<void> {
  const bound = boundOf(deps.config, name, keeping.times)
  requireWithin(name, bound, { kept: await measureKept(deps.state, name, keeping.account), bytes: sizeOf(keeping.row) })
}

/** The same for a file of so many bytes, where what the account has uploaded is `kept`. */
export function requireUploadSpace(config: KeepDeps['config'], kept: Bound, bytes: number): void {
  requireWithin('uploads', boundOf(config, 'uploads'), { kept, bytes })
}

function requireWithin(name: keyof typeof FULL, bound: Bound, { kept, bytes }: { kept: Bound; bytes: number }): void {
  if (kept.rows + 1 > bound.rows) throw new AppError('too-many', FULL[name].rows(bound.rows.toLocaleString('en')))
  if (kept.bytes + bytes > bound.bytes) throw new AppError('too-large', FULL[name].bytes)
}

/** The same for something that takes the place of what is there under an id: then only more of it needs space. */
export async function requireSpaceInstead(
  deps: KeepDeps,
  name: FullName,
  { former, ...keeping }: Keeping & { readonly former: object | undefined },
): Promise<void> {
  if (former === undefined) return requireSpace(deps, name, keeping)
  const growth = sizeOf(keeping.row) - sizeOf(former)
  if (growth <= 0) return
  const { bytes } = boundOf(deps.config, name, keeping.times)
  const kept = await measureKept(deps.state, name, keeping.account)
  if (kept.bytes + growth > bytes) throw new AppError('too-large', FULL[name].bytes)
}

export async function hasSpace(...args: Parameters<typeof requireSpace>): Promise<boolean> {
  return isThereSpace(requireSpace(...args))
}

export async function hasSpaceInstead(...args: Parameters<typeof requireSpaceInstead>): Promise<boolean> {
  return isThereSpace(requireSpaceInstead(...args))
}

async function isThereSpace(required: Promise<void>): Promise<boolean> {
  try {
    await required
    return true
  } catch (error) {
    if (isAppError(error, 'too-many', 'too-large')) return false
    throw error
  }
}

export function boundOf({ keeps = {} }: KeepDeps['config'], name: BoundName, times = 1): Bound {
  const { rows, bytes } = keeps[name] ?? USUAL_BOUNDS[name]
  return { rows: rows * times, bytes: bytes * times }
}

/** Rows and bytes that an account keeps of one kind. Only lengths are read, not the texts. */
export async function measureKept(state: StateDb, name: KeepName, account: BareJid | ''): Promise<Bound> {
  const { table, texts }: AnyKept = KEEPS[name]
  const lengths = texts.map((column) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`)
  const { rows } = await sql<{ rows: number; bytes: number }>`
    SELECT count(*) AS rows, coalesce(sum(${sql.join(lengths, sql` + `)}), 0) AS bytes
    FROM ${sql.table(table)} WHERE ${isKept(KEEPS[name], account)}
  `.execute(state)
  return rows[0] ?? { rows: 0, bytes: 0 }
}

/** About the bytes of its text: a little more, as names of columns count too. */
function sizeOf(row: object): number {
  return Buffer.byteLength(JSON.stringify(row))
}

/** Makes space by forgetting the oldest, where there is more than the bound: a tenth of it at once, so that this is rare. */
export async function forgetOldest(deps: KeepDeps, name: KeepName, account: BareJid): Promise<void> {
  const { table, oldest }: AnyKept = KEEPS[name]
  const bound = boundOf(deps.config, name)
  const kept = await measureKept(deps.state, name, account)
  if (oldest === undefined || (kept.rows <= bound.rows && kept.bytes <= bound.bytes)) return
  const share = Math.min(bound.rows / kept.rows, bound.bytes / kept.bytes)
  const count = Math.ceil(kept.rows * (1 - 0.9 * share))
  await sql`
    DELETE FROM ${sql.table(table)} WHERE rowid IN (
      SELECT rowid FROM ${sql.table(table)} WHERE ${isKept(KEEPS[name], account)}
      ORDER BY ${sql.ref(oldest)} LIMIT ${count}
    )
  `.execute(deps.state)
}

function isKept({ owner, only = {} }: AnyKept, account: BareJid | '') {
  const conditions = [sql`${sql.ref(owner)} = ${account}`]
  if (only.status !== undefined) conditions.push(sql`status IN (${sql.join(only.status)})`)
  if (only.kindNot !== undefined) {
    const { kinds, unless } = only.kindNot
    conditions.push(sql`(kind NOT IN (${sql.join(kinds)}) OR json_extract(task, ${`$.${unless}`}) = 1)`)
  }
  return sql.join(conditions, sql` AND `)
}
