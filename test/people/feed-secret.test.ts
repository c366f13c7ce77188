import assert from 'node:assert/strict'
import { cp, symlink } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import { findFeedSecret, findReaderBySecret, renewFeedSecret, requireFeedSecret } from '#server/people/feed-secret.ts'
import { createSecret } from '#server/people/secret.ts'
import { openState } from '#server/store/database.ts'
import { MIGRATIONS } from '#server/store/migrate.ts'
import { forgetReader, savePublishesFollows } from '#server/store/reader.ts'
import { createTestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { JULIET, ROMEO } from '../feeds/fixtures.ts'

describe('the secret of somebody’s feeds', () => {
  it('stays until they want another one, and leads to nobody else', async () => {
    await using ctx = await createTestContext()
    assert.equal(await findFeedSecret(ctx, ROMEO), undefined)
    const secret = await requireFeedSecret(ctx, ROMEO)
    assert.match(secret, /^[\w-]+\.[\w-]{43}$/)
    assert.equal(await requireFeedSecret(ctx, ROMEO), secret)
    assert.notEqual(await requireFeedSecret(ctx, JULIET), secret)
    const fresh = await renewFeedSecret(ctx, ROMEO)
    assert.equal(await findReaderBySecret(ctx, fresh), ROMEO)
    const [name, signature] = fresh.split('.')
    const [other] = (await requireFeedSecret(ctx, JULIET)).split('.')
    for (const wrong of [secret, '', '.', `${name}.`, `${name}`, `${other}.${signature}`, `${fresh}x`])
      assert.equal(await findReaderBySecret(ctx, wrong), undefined, wrong)
  })

  it('is nowhere in the database, and another site derives another', async () => {
    await using ctx = await createTestContext()
    const secret = await requireFeedSecret(ctx, ROMEO)
    const { rows } = await sql<Record<string, unknown>>`SELECT * FROM reader`.execute(ctx.state)
    const signature = secret.split('.')[1] ?? ''
    assert.ok(!JSON.stringify(rows).includes(signature))
    assert.notEqual(await findFeedSecret({ ...ctx, secret: createSecret(Buffer.alloc(32, 9)) }, ROMEO), secret)
  })

  it('of an account that is no more is not that of whoever has its address next', async () => {
    await using ctx = await createTestContext()
    ctx.setNow('2026-03-14T21:00:00Z')
    const former = await requireFeedSecret(ctx, ROMEO)
    await forgetReader(ctx.state, ROMEO)
    assert.equal(await findReaderBySecret(ctx, former), undefined)
    ctx.setNow('2026-03-14T21:00:01Z')
    await savePublishesFollows(ctx.state, ROMEO, true)
    assert.notEqual(await requireFeedSecret(ctx, ROMEO), former)
    assert.equal(await findReaderBySecret(ctx, former), undefined)
  })

  it('that was known before secrets were derived goes on until there is a new one', async () => {
    await using folder = await createTestFolder()
    await using ctx = await createTestContext()
    const path = folder.file('state.sqlite')
    const before = await openState(path, await migrationsBefore(folder.file('migrations'), '0007'))
    const known = 'k'.repeat(43)
    await sql`INSERT INTO reader (jid, feed_secret) VALUES (${ROMEO}, ${known}), (${JULIET}, NULL)`.execute(before)
    await before.destroy()
    const state = await openState(path)
    const deps = { ...ctx, state }
    assert.equal(await findReaderBySecret(deps, known), ROMEO)
    assert.equal(await findFeedSecret(deps, JULIET), undefined)
    // The page shows the derived one, and both lead there.
    assert.equal(await findReaderBySecret(deps, (await findFeedSecret(deps, ROMEO)) ?? ''), ROMEO)
    assert.equal(await findReaderBySecret(deps, await requireFeedSecret(deps, JULIET)), JULIET)
    const fresh = await renewFeedSecret(deps, ROMEO)
    assert.equal(await findReaderBySecret(deps, known), undefined)
    assert.equal(await findReaderBySecret(deps, fresh), ROMEO)
    await state.destroy()
  })
})

/** The migrations before a given one, in a folder where they find their packages. */
async function migrationsBefore(target: string, first: string): Promise<URL> {
  const folder = pathToFileURL(`${target}/`)
  await cp(MIGRATIONS.state, folder, { recursive: true, filter: (source) => !isFrom(source, first) })
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), new URL('node_modules', folder))
  return folder
}

function isFrom(source: string, first: string): boolean {
  const [, number] = /\/(\d{4})-[^/]*\.ts$/.exec(source) ?? []
  return number !== undefined && number >= first
}
