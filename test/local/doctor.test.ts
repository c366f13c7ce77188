import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openIndex, openState } from '#server/store/database.ts'
import { addOutboxRow, updateOutboxRow } from '#server/store/outbox.ts'
import { asItemId } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { jidOf } from '#test/support/context.ts'
import { findFreePort } from '#test/support/free-port.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'

const root = join(import.meta.dirname, '../..')

/** A new account on one of the rig's servers as the site's, and a data folder. */
async function prepare(stack: AsyncDisposableStack, server: RigServer, others: Record<string, string> = {}) {
  const data = await mkdtemp(join(tmpdir(), 'canto-doctor-'))
  stack.defer(() => rm(data, { recursive: true, force: true }))
  const port = await findFreePort()
  const user = `doctor${port}`
  await server.register(user, 'secret')
  await writeFile(join(data, 'ca.pem'), server.certificate)
  return {
    NODE_EXTRA_CA_CERTS: join(data, 'ca.pem'),
    CANTO_DATA: data,
    CANTO_PORT: String(port),
    CANTO_URL: 'https://localhost',
    CANTO_PROXY: '127.0.0.1',
    CANTO_XMPP_JID: `${user}@${server.domain}`,
    CANTO_XMPP_PASSWORD: 'secret',
    CANTO_XMPP_SERVICE: server.service,
    CANTO_BLOGGERS: `juliet@${server.domain}`,
    ...others,
  }
}

/** What `canto doctor` prints, and its exit code. */
async function runDoctor(env: Record<string, string>): Promise<{ code: number; words: string }> {
  const child = spawn(process.execPath, ['server/canto.ts', 'doctor'], { cwd: root, env: { ...process.env, ...env } })
  let words = ''
  child.stdout.on('data', (chunk) => (words += chunk))
  child.stderr.on('data', (chunk) => (words += chunk))
  const [code] = await once(child, 'close')
  return { code, words }
}

describe('the doctor', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  it('passes an ejabberd without limits', async () => {
    await using stack = new AsyncDisposableStack()
    const { code, words } = await runDoctor(await prepare(stack, rig.ejabberd))
    assert.equal(code, 0, words)
    assert.doesNotMatch(words, /^✗|^! (Blog node|Comments|Speed|Account)/m)
  })

  it('passes a Prosody, but for its component that lets only its admins make nodes', async () => {
    await using stack = new AsyncDisposableStack()
    const { code, words } = await runDoctor(await prepare(stack, rig.prosody))
    assert.equal(code, 0, words)
    assert.match(words, /^✓ Blog node {6}open/m)
    assert.match(
      words,
      /^! Comments .*comments live on the accounts of the posts’ authors\n +ejabberd: .*\n +Prosody: admins/m,
    )
  })

  it('finds Debian’s limits of rate and number, with the lines that lift them', async () => {
    await using stack = new AsyncDisposableStack()
    const stock = stack.use(await useRig({ stock: true, servers: ['ejabberd'] }))
    const { words } = await runDoctor(await prepare(stack, stock.ejabberd))
    assert.match(words, /^! Blog node .*deletes the older posts.*\n +ejabberd: max_items_node/m)
    assert.match(words, /^! Speed .*slows its clients down\n +ejabberd: shaper: normal/m)
  })

  it('warns when the site’s account is a person’s, whose chats it might take', async () => {
    await using stack = new AsyncDisposableStack()
    const { code, words } = await runDoctor(await prepare(stack, rig.ejabberd, { CANTO_BLOGGERS: '' }))
    assert.equal(code, 0, words)
    assert.match(words, /^! Account .*may take its chats\n +Make an account for the site alone/m)
  })

  it('says what to correct when the password is wrong', async () => {
    await using stack = new AsyncDisposableStack()
    const { code, words } = await runDoctor(await prepare(stack, rig.ejabberd, { CANTO_XMPP_PASSWORD: 'other' }))
    assert.equal(code, 1)
    assert.match(words, /^✗ Account .*refused the password.*\n +correct CANTO_XMPP_JID and CANTO_XMPP_PASSWORD/m)
  })

  it('says what to do about a certificate that is not trusted, rather than that the server may be down', async () => {
    await using stack = new AsyncDisposableStack()
    const { code, words } = await runDoctor(await prepare(stack, rig.ejabberd, { NODE_EXTRA_CA_CERTS: '' }))
    assert.equal(code, 1)
    assert.match(
      words,
      /^✗ Account .*certificate of .* cannot be trusted.*\n +give it a certificate .*NODE_EXTRA_CA_CERTS/m,
    )
  })

  it('counts what was refused, which nobody else may notice', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack, rig.ejabberd)
    await (await openIndex(join(env.CANTO_DATA, 'index.sqlite'))).destroy()
    const state = await openState(join(env.CANTO_DATA, 'state.sqlite'))
    const blog = { service: jidOf(`juliet@${rig.ejabberd.domain}`), node: NS.MICROBLOG }
    const row = { account: blog.service, formKey: 'f', kind: 'post', task: '{}', createdAt: new Date() } as const
    const { id } = await addOutboxRow(state, { ...row, address: { ...blog, item: asItemId('lark') } })
    await updateOutboxRow(state, id, { status: 'refused', nextTry: null, problem: 'The server is full' })
    await state.destroy()
    assert.match((await runDoctor(env)).words, /^· Outbox .*1 was refused: the author sees why under Drafts$/m)
  })

  it('sees a damaged database and a secret that others may read', async () => {
    await using stack = new AsyncDisposableStack()
    const env = await prepare(stack, rig.ejabberd)
    const path = join(env.CANTO_DATA, 'state.sqlite')
    await (await openState(path)).destroy()
    await using file = await open(path, 'r+')
    await file.write(Buffer.alloc(6000, 0x5a), 0, 6000, 4096)
    await writeFile(join(env.CANTO_DATA, 'secret'), 'x')
    await chmod(join(env.CANTO_DATA, 'secret'), 0o644)
    const { code, words } = await runDoctor(env)
    assert.equal(code, 1)
    assert.match(words, /^✗ Database .*state (is damaged|cannot be read).*\n +Restore your last backup/m)
    assert.match(words, /^✗ Secrets .*\n +chmod 600/m)
  })
})
