import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import Database from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { type Recorded, recordStatements } from './recorded-statements.ts'
import { watchStore } from './uncovered-statements.ts'

const [SMALL, LARGE] = [30_000, 300_000]
/** So many thousand comments has the longest thread of each. */
const [SHORT, LONG] = [3, 30]
/** Rows of the state are made ten times as many too. */
const [FEW_ROWS, MANY_ROWS] = [5_000, 50_000]
/** Ten times as much to look at takes less than this many times as long, */
const MOST_TIMES = 3
/** but for what is below this many milliseconds anyway. */
const NOISE_MS = 3
/** A machine that does something else makes a statement look slow. */
const MOST_RUNS = 10

const PATHS = [`index-${SMALL}`, `index-${LARGE}`, `state-${FEW_ROWS}`, `state-${MANY_ROWS}`]

/** Tables with a row per blogger, community or room, or by decision of the operators: none per post or reader. */
const SMALL_TABLES = ['author', 'community', 'room', 'site_block', 'setting', 'kysely_migration', 'sqlite_master']

const takeUncovered = await watchStore()
const takeRecorded = recordStatements()
const { clearIndex } = await import('#server/store/clear.ts')
const { openIndex, openState } = await import('#server/store/database.ts')
const { fillLargeIndex } = await import('#test/support/large-index.ts')
const { fillLargeState } = await import('./large-state.ts')
const { addToIndex } = await import('./index-corners.ts')
const { INDEX_CALLS } = await import('./index-calls.ts')
const { STATE_CALLS } = await import('./state-calls.ts')

describe('every statement that the store sends', () => {
  let folder: TestFolder

  before(async () => {
    folder = await createTestFolder()
    for (const [posts, thousands] of [
      [SMALL, SHORT],
      [LARGE, LONG],
    ] as const) {
      await fillLargeIndex(folder.file(`index-${posts}`), { posts })
      addToIndex(folder.file(`index-${posts}`), thousands)
    }
    for (const rows of [FEW_ROWS, MANY_ROWS]) await fillLargeState(folder.file(`state-${rows}`), rows)
    for (const path of PATHS) analyze(folder.file(path))
  })

  after(() => folder[Symbol.asyncDispose]())

  // In this order, for those that are forgotten are not made again.
  for (const statistics of ['with', 'without'] as const) {
    it(`looks at no more where there is ten times as much, ${statistics} statistics`, async () => {
      const problems = new Set<string>()
      const index = [
        await openIndex(folder.file(`index-${SMALL}`)),
        await openIndex(folder.file(`index-${LARGE}`)),
      ] as const
      const state = [
        await openState(folder.file(`state-${FEW_ROWS}`)),
        await openState(folder.file(`state-${MANY_ROWS}`)),
      ] as const
      // They are renewed when a database is opened.
      if (statistics === 'without') for (const db of [...index, ...state]) await forgetStatistics(db as Kysely<unknown>)
      for (const call of INDEX_CALLS) for (const words of await compare(call, index)) problems.add(words)
      for (const call of STATE_CALLS) for (const words of await compare(call, state)) problems.add(words)
      for (const db of [...index, ...state]) await db.destroy()
      assert.deepEqual([...problems], [])
    })
  }

  it('is one of those that this test looked at', async () => {
    const empty = await openIndex(':memory:')
    takeRecorded()
    await clearIndex(empty)
    assert.deepEqual(takeRecorded().flatMap(explain), [])
    await empty.destroy()
    assert.deepEqual(await takeUncovered(), [])
  })

  it('is not ended by the limit of a subquery', async () => {
    const empty = await openIndex(':memory:')
    takeRecorded()
    await sql`SELECT title FROM entry WHERE title <> (SELECT jid FROM person LIMIT ${1})`.execute(empty)
    const found = takeRecorded().flatMap(explain)
    assert.ok(found.includes('SCAN entry'), found.join())
    await empty.destroy()
  })
})

function analyze(path: string): void {
  const database = new Database(path)
  database.exec('ANALYZE')
  database.close()
}

async function forgetStatistics(db: Kysely<unknown>): Promise<void> {
  for (const table of ['sqlite_stat1', 'sqlite_stat4']) await sql`DELETE FROM ${sql.table(table)}`.execute(db)
  await sql`ANALYZE sqlite_schema`.execute(db)
}

type Sent = Map<string, Recorded>

/** Faults of a call's statements, by their plans and by their times on a small and a large database. */
async function compare<Db>(call: (db: Kysely<Db>) => Promise<unknown>, dbs: readonly [Kysely<Db>, Kysely<Db>]) {
  const [small, large]: [Sent, Sent] = [new Map(), new Map()]
  const isSlow = ([text, { ms }]: [string, Recorded]) => ms > MOST_TIMES * (small.get(text)?.ms ?? 0) + NOISE_MS
  for (let run = 0; run === 0 || (run < MOST_RUNS && [...large].some(isSlow)); run++) {
    await send(call, dbs[0], small)
    await send(call, dbs[1], large)
  }
  return [...large].flatMap((entry): string[] => {
    const [text, statement] = entry
    const times = `${small.get(text)?.ms.toFixed(1)} ms became ${statement.ms.toFixed(1)} ms`
    return [...explain(statement), ...(isSlow(entry) ? [times] : [])].map((words) => `${words}: ${text}`)
  })
}

/** Adds every statement of a call with its mean time, or that of the fastest run. Nothing that it writes stays. */
async function send<Db>(call: (db: Kysely<Db>) => Promise<unknown>, db: Kysely<Db>, sent: Sent): Promise<void> {
  await sql`SAVEPOINT outer`.execute(db)
  takeRecorded()
  await call(db)
  for (const [text, each] of Map.groupBy(takeRecorded(), (statement) => statement.sql)) {
    const ms = each.reduce((sum, statement) => sum + statement.ms, 0) / each.length
    if (ms < (sent.get(text)?.ms ?? Number.POSITIVE_INFINITY)) sent.set(text, { ...(each[0] as Recorded), ms })
  }
  await sql`ROLLBACK TO outer`.execute(db)
  await sql`RELEASE outer`.execute(db)
}

function explain({ database, sql, parameters }: Recorded): string[] {
  if (!/^(select|insert|update|delete|with)\b/i.test(sql)) return []
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[]
  const plan = rows.map(({ detail }) => detail)
  const made = plan.flatMap((detail) => /^(?:CO-ROUTINE|MATERIALIZE) (\S+)/.exec(detail)?.[1] ?? [])
  const isEnded = isLimited(sql) && !plan.some((detail) => detail.startsWith('USE TEMP B-TREE'))
  return plan.filter((detail) => {
    const [, table, , index] = /^SCAN (\S+)( USING (?:COVERING )?INDEX (\S+))?/.exec(detail) ?? []
    if (table === undefined || /VIRTUAL TABLE|CONSTANT ROW|^SCAN \d/.test(detail)) return false
    if (made.includes(table) || SMALL_TABLES.includes(table)) return false
    // In the order of an index, up to a limit; or of one that has few rows. How long it takes was measured.
    return !isEnded && !(index !== undefined && isPartial(database, index))
  })
}

/** Whether its outermost select has a limit, or the one that says which rows of a table are deleted. */
function isLimited(sql: string): boolean {
  const deleted = /^delete from "\w+" where "rowid" in \((.*)\)$/i.exec(sql)?.[1]
  let outermost = (deleted ?? sql).replace(/'(?:[^']|'')*'|"[^"]*"/g, '')
  for (let former = ''; former !== outermost; ) {
    former = outermost
    outermost = former.replace(/\([^()]*\)/g, '')
  }
  return /\blimit \?/i.test(outermost)
}

function isPartial(database: Database.Database, index: string): boolean {
  const made = database.prepare(`SELECT sql FROM sqlite_master WHERE name = ?`).pluck().get(index)
  return typeof made === 'string' && / WHERE /i.test(made)
}
