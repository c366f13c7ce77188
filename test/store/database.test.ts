import assert from 'node:assert/strict'
import { cp, readdir, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { readConfig } from '#server/config.ts'
import { checkData } from '#server/doctor-data.ts'
import { printFinding } from '#server/doctor-finding.ts'
import { openIndex, openState } from '#server/store/database.ts'
import { MIGRATIONS, migrateDown } from '#server/store/migrate.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { fillLargeIndex } from '#test/support/large-index.ts'

/** The migrations with one more, where they find their packages. */
async function copyMigrations(kind: 'index' | 'state', target: string, next: string): Promise<URL> {
  const folder = pathToFileURL(`${target}/`)
  await cp(MIGRATIONS[kind], folder, { recursive: true })
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), new URL('node_modules', folder))
  await writeFile(new URL('9999-next.ts', folder), next)
  return folder
}

describe('the databases', () => {
  it('are made by their migrations, which can be undone and done again', async () => {
    for (const [kind, open] of [
      ['index', openIndex],
      ['state', openState],
    ] as const) {
      await using folder = await createTestFolder()
      const tables = async () => {
        const db = await open(folder.file('db'))
        const { rows } = await sql<{
          name: string
        }>`SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name`.execute(db)
        await db.destroy()
        return rows.map(({ name }) => name)
      }
      const before = await tables()
      const db = await open(folder.file('db'))
      while ((await sql<{ n: number }>`SELECT count(*) AS n FROM kysely_migration`.execute(db)).rows[0]?.n) {
        await migrateDown(db as Kysely<unknown>, MIGRATIONS[kind])
      }
      const left = await sql<{
        name: string
      }>`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'kysely%' AND name NOT LIKE 'sqlite%'`.execute(
        db,
      )
      assert.deepEqual(left.rows, [], kind)
      await db.destroy()
      assert.deepEqual(await tables(), before)
    }
  })

  it('count the bytes of what an older index has', async () => {
    await using folder = await createTestFolder()
    const path = folder.file('index.sqlite')
    await fillLargeIndex(path, { posts: 50 })
    const db = await openIndex(path)
    const summed = '(SELECT coalesce(sum(length(CAST(payload AS BLOB))), 0) FROM entry WHERE node_id = node.id)'
    const hasBytes = () => sql`SELECT 1 FROM pragma_table_info('node') WHERE name = 'bytes'`.execute(db)
    while ((await hasBytes()).rows.length > 0) await migrateDown(db as Kysely<unknown>, MIGRATIONS.index)
    await db.destroy()
    const later = await openIndex(path)
    const nodes = await sql<{ bytes: number; summed: number }>`
      SELECT bytes, ${sql.raw(summed)} AS summed FROM node`.execute(later)
    assert.ok(nodes.rows.some(({ bytes }) => bytes > 0))
    for (const node of nodes.rows) assert.equal(node.bytes, node.summed)
    await later.destroy()
  })

  it('keep a copy of the state beside it before a migration that finds something', async () => {
    await using folder = await createTestFolder()
    const path = folder.file('state.sqlite')
    const first = await openState(path)
    await saveSetting(first, 'word', 'Verona')
    await first.destroy()
    await (await openState(path)).destroy()
    const copies = async () => (await readdir(folder.path)).filter((name) => name.includes('before'))
    assert.deepEqual(await copies(), [])

    const next = "export const up = (db) => db.schema.dropTable('setting').execute()"
    const migrations = await copyMigrations('state', folder.file('migrations'), next)
    await (await openState(path, migrations)).destroy()
    const [copy] = await copies()
    assert.match(copy ?? '', /^state\.sqlite\.before-9999-next-/)
    const opened = await openState(folder.file(copy ?? ''))
    assert.equal(await findSetting(opened, 'word'), 'Verona')
    await opened.destroy()
    await (await openState(path, migrations)).destroy()
    assert.equal((await copies()).length, 1)
  })

  it('of a newer Canto are refused where they are the state, and put aside where they are the index', async () => {
    await using folder = await createTestFolder()
    const withNext = (kind: 'index' | 'state') =>
      copyMigrations(kind, folder.file(`${kind}-migrations`), 'export const up = async () => {}')
    await (await openState(folder.file('state.sqlite'), await withNext('state'))).destroy()
    await assert.rejects(
      openState(folder.file('state.sqlite')),
      /newer Canto .*9999-next.*state\.sqlite\.before-9999-next/,
    )
    await (await openIndex(folder.file('index.sqlite'), await withNext('index'))).destroy()
    await (await openIndex(folder.file('index.sqlite'))).destroy()
    assert.ok((await readdir(folder.path)).includes('index.sqlite.broken'))
    const config = { ...readConfig({ CANTO_DATA: folder.path }) }
    const found = (await checkData(config)).map(printFinding).join('\n')
    assert.match(found, /✗ Database .*state was made by a newer Canto.*9999-next/)
  })

  it('are made anew where the index is broken, and never where the state is', async () => {
    await using folder = await createTestFolder()
    for (const name of ['index', 'state'])
      await writeFile(folder.file(name), 'This is no database at all. '.repeat(100))
    const index = await openIndex(folder.file('index'))
    assert.deepEqual(await index.selectFrom('node').selectAll().execute(), [])
    await index.destroy()
    await assert.rejects(openState(folder.file('state')), /not a database/)
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.includes('broken')),
      ['index.broken'],
    )
  })

  it('are on the disk before an answer, and may be read by another process meanwhile', async () => {
    await using folder = await createTestFolder()
    const state = await openState(folder.file('state.sqlite'))
    const other = await openState(folder.file('state.sqlite'))
    const pragma = async (name: string) =>
      Object.values((await sql<Record<string, unknown>>`PRAGMA ${sql.raw(name)}`.execute(state)).rows[0] ?? {})[0]
    assert.equal(await pragma('journal_mode'), 'wal')
    assert.equal(await pragma('synchronous'), 2)
    assert.equal(await pragma('foreign_keys'), 1)
    await saveSetting(state, 'word', 'Verona')
    assert.equal(await findSetting(other, 'word'), 'Verona')
    await Promise.all([state.destroy(), other.destroy()])
  })

  it('keep a transaction that has read from failing because another process writes', async () => {
    await using folder = await createTestFolder()
    const path = folder.file('state.sqlite')
    const db = await openState(path)
    await saveSetting(db, 'a', '1')
    const other = new Database(path, { timeout: 0 })
    await db.transaction().execute(async (transaction) => {
      assert.equal(await findSetting(transaction, 'a'), '1')
      assert.throws(() => other.exec("UPDATE setting SET value = '2'"), /locked/, 'it has to wait')
      await saveSetting(transaction, 'a', '3')
    })
    other.exec("UPDATE setting SET value = value || '4'")
    other.close()
    assert.equal(await findSetting(db, 'a'), '34')
    await db.destroy()
  })

  it('prepare a statement once, which still sees what other statements make of its table', async () => {
    await using folder = await createTestFolder()
    const state = await openState(folder.file('state.sqlite'))
    const list = async () => (await sql`SELECT * FROM setting`.execute(state)).rows
    await saveSetting(state, 'word', 'Verona')
    assert.deepEqual(await list(), [{ key: 'word', value: 'Verona' }])
    await sql`ALTER TABLE setting ADD COLUMN since TEXT`.execute(state)
    assert.deepEqual(await list(), [{ key: 'word', value: 'Verona', since: null }])
    await sql`DROP TABLE setting`.execute(state)
    await assert.rejects(list(), /no such table/)
    await state.destroy()
  })
})
