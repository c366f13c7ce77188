import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type BareJid, localPart, readBareJid } from '#shared/jid.ts'
import type { Call } from './canto.ts'
import { confirm, readPassword } from './canto-prompt.ts'
import { isOperator, mayBlog } from './config.ts'
import { AppError } from './errors.ts'
import { addAuthor, listAuthors } from './feeds/authors.ts'
import { blogOf } from './feeds/indexing.ts'
import { createLive } from './feeds/live.ts'
import { type LocalHandle, useLocalServer } from './local/use-local-server.ts'
import { silentLogger } from './log.ts'
import { signOutEverywhere } from './people/sign-out-everywhere.ts'
import { deleteAuthorRow } from './store/author.ts'
import { openIndex, openState } from './store/database.ts'
import { updateNode } from './store/node.ts'
import { forgetReader } from './store/reader.ts'
import { deleteSignInFailuresOf } from './store/sign-in-failure.ts'
import { openSession } from './xmpp/session.ts'

const ONLINE_TIMEOUT_MS = 15_000

/** `user add`: an account, and its blog. */
export async function addUser(call: Call): Promise<void> {
  const jid = readUser(call)
  await using local = await useLocalServer(call.config, call.log)
  const password = await readPassword(call.password)
  if ((await local.register(jid, password)) === 'exists') {
    throw new AppError('conflict', `${jid} exists already; npm run canto -- user password ${jid} changes its password`)
  }
  if (!mayBlog(call.config, jid)) {
    return call.say(`${jid} was added. It may sign in but not publish here: CANTO_BLOGGERS does not name it`)
  }
  await makeAuthor(call, local, { jid, password })
  call.say(`${jid} was added, with a blog of its own`)
}

export async function changePassword(call: Call): Promise<void> {
  const jid = readUser(call)
  await using local = await useLocalServer(call.config, call.log)
  await local.changePassword(jid, await readPassword(call.password))
  await local.forget(jid)
  await using stack = new AsyncDisposableStack()
  const { state } = await openDatabases(call, stack)
  await signOutEverywhere(state, jid, 'Your password was changed.')
  // Its owner may have tried the old one too often, and must not wait with the new one.
  await deleteSignInFailuresOf(state, jid)
  call.say(`The password of ${jid} was changed`)
}

/** `user remove`: the server forgets the account and its nodes; its pages go when the site sees that they are gone. */
export async function removeUser(call: Call): Promise<void> {
  const jid = readUser(call)
  await using local = await useLocalServer(call.config, call.log)
  if (jid === local.siteAccount) throw new AppError('forbidden', `${jid} is the account of the site itself`)
  if (!(await confirm(`Remove ${jid} and everything it published?`))) return call.say('Nothing was removed')
  await local.unregister(jid)
  await local.forget(jid)
  await using stack = new AsyncDisposableStack()
  const { state, index } = await openDatabases(call, stack)
  await signOutEverywhere(state, jid, 'Your account was removed.')
  await deleteAuthorRow(state, jid)
  await forgetReader(state, jid)
  await updateNode(index, blogOf(jid), { nextTryAt: 0 })
  call.say(`${jid} was removed`)
}

export async function listUsers(call: Call): Promise<void> {
  await using local = await useLocalServer(call.config, call.log)
  await using stack = new AsyncDisposableStack()
  const { state } = await openDatabases(call, stack)
  const authors = await listAuthors({ state })
  for (const jid of await local.listUsers()) {
    const isSite = jid === local.siteAccount
    const roles = [isSite && 'the site', authors.includes(jid) && 'author', isOperator(call.config, jid) && 'operator']
    call.say(`${jid} ${roles.filter((role) => role !== false).join(', ')}`.trimEnd())
  }
}

/** With the new account's own session, which makes its blog's node. */
async function makeAuthor(call: Call, local: LocalHandle, { jid, password }: { jid: BareJid; password: string }) {
  await using stack = new AsyncDisposableStack()
  const { state, index } = await openDatabases(call, stack)
  const session = stack.adopt(
    openSession({
      jid,
      service: local.service,
      credentials: () => ({ password }),
      userAgentId: randomUUID(),
      isSite: false,
      log: silentLogger,
    }),
    (opened) => opened.stop(),
  )
  await session.whenOnline(ONLINE_TIMEOUT_MS)
  await addAuthor({ index, state, live: createLive(), clock: () => new Date(), sessions: () => session }, jid)
  await updateNode(index, blogOf(jid), { nextTryAt: 0 })
}

async function openDatabases({ config }: Call, stack: AsyncDisposableStack) {
  const state = stack.adopt(await openState(join(config.data, 'state.sqlite')), (db) => db.destroy())
  const index = stack.adopt(await openIndex(join(config.data, 'index.sqlite')), (db) => db.destroy())
  return { state, index }
}

/** The account that was named; a name alone is one of the local server. */
function readUser({ args: [word = ''], config }: Call): BareJid {
  const text = word.includes('@') ? word : `${word}@${config.local.domain}`
  const jid = text.includes('/') ? undefined : readBareJid(text)
  if (jid === undefined || localPart(jid) === undefined) {
    throw new AppError('bad-request', `"${word}" is no XMPP address: write NAME@${config.local.domain}`)
  }
  return jid
}
