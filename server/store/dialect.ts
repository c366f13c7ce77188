import type Database from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  type QueryResult,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely'
import { AppError } from '#server/errors.ts'

/** Statements that stay prepared: about all that Canto ever says to one file. */
const MOST_STATEMENTS = 500

/** SQLite over one connection, which says in words when the disk is full: `no-room`. Nothing is half stored then. */
export class OneFileDialect extends SqliteDialect {
  readonly #database: Database.Database

  constructor(database: Database.Database) {
    super({ database })
    this.#database = database
  }

  override createDriver(): SqliteDriver {
    return new OneFileDriver(this.#database)
  }
}

class OneFileDriver extends SqliteDriver {
  readonly #database: Database.Database
  #connection: DatabaseConnection | undefined

  constructor(database: Database.Database) {
    super({ database: preparedOnce(database) })
    this.#database = database
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    // There is one, and Kysely remembers each that it is given.
    this.#connection ??= explaining(connection)
    return this.#connection
  }

  /**
   * All transactions write in the end. Begun as one that reads, it would fail at its first writing where another process,
   * such as an operator's command, has written meanwhile (SQLITE_BUSY_SNAPSHOT); now each waits for the other.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk ends a transaction by itself (sqlite.org/lang_transaction.html §3): one more end would hide why.
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
  }
}

/** Preparing costs more than most statements. SQLite prepares them anew by itself after a change of the tables. */
function preparedOnce(database: Database.Database): SqliteDatabase {
  const statements = new Map<string, Database.Statement>()
  return {
    prepare(sql) {
      const known = statements.get(sql)
      const statement = known ?? database.prepare(sql)
      // The one that was not needed for longest goes first.
      statements.delete(sql)
      statements.set(sql, statement)
      const [oldest] = statements.keys()
      if (oldest !== undefined && statements.size > MOST_STATEMENTS) statements.delete(oldest)
      return statement
    },
    close: () => database.close(),
  }
}

function explaining(connection: DatabaseConnection): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      try {
        return await connection.executeQuery<Row>(query)
      } catch (error) {
        throw explain(error)
      }
    },
    streamQuery: (query, size) => connection.streamQuery(query, size),
  }
}

function explain(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && error.code === 'SQLITE_FULL'
  if (!isFull) return error
  return new AppError(
    'no-room',
    'There is no room left on the disk of this site: nothing was stored. Try again later',
    {
      cause: error,
    },
  )
}
