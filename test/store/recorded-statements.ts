import Database from 'better-sqlite3'

/** One statement as it was sent, and how long SQLite took. */
export interface Recorded {
  readonly database: Database.Database
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** Milliseconds. */
  readonly ms: number
}

type Run = (this: Database.Statement, ...parameters: unknown[]) => unknown

/**
 * Records everything that better-sqlite3 is told to do in this process from now on. A transaction becomes a savepoint,
 * so that a test may put one around a function that makes a transaction of its own. Returns what was sent since last.
 */
export function recordStatements(): () => Recorded[] {
  let recorded: Recorded[] = []
  const { prepare } = Database.prototype
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    return prepare.call(this, SAVEPOINTS[sql] ?? sql)
  } as typeof prepare
  const statements = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1')) as Record<string, Run>
  for (const name of ['all', 'get', 'run', 'iterate']) {
    const send = statements[name] as Run
    statements[name] = function (this: Database.Statement, ...parameters) {
      const begun = performance.now()
      const result = send.apply(this, parameters)
      const bound = parameters.flat()
      recorded.push({ database: this.database, sql: this.source, parameters: bound, ms: performance.now() - begun })
      return result
    }
  }
  return () => {
    const taken = recorded
    recorded = []
    return taken
  }
}

const SAVEPOINTS: Readonly<Record<string, string>> = {
  'begin immediate': 'SAVEPOINT own',
  commit: 'RELEASE own',
  rollback: 'ROLLBACK TO own',
}
