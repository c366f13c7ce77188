import type Database from 'better-sqlite3'
import { type CompiledQuery, type DatabaseConnection, type QueryResult, SqliteDialect, SqliteDriver } from 'kysely'
import { AppError } from '#server/errors.ts'

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

  constructor(database: Database.Database) {
    super({ database })
    this.#database = database
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return explaining(await super.acquireConnection())
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk ends a transaction by itself (sqlite.org/lang_transaction.html §3): one more end would hide why.
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
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
