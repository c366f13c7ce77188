import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { domainOf } from '#shared/jid.ts'
import type { Call } from './canto.ts'
import { AppError } from './errors.ts'
import { askReindex } from './feeds/indexing.ts'
import { relink as relinkPosts } from './feeds/relink.ts'
import { isRunning } from './local/use-local-server.ts'
import { openIndex, openState, type StateDb } from './store/database.ts'

/** `reindex`: the server does it, for it holds the site's session. */
export async function reindex(call: Call): Promise<void> {
  await using stack = new AsyncDisposableStack()
  await askReindex(await openSiteState(call, stack), new Date())
  call.say(isRunning(call.config) ? 'Canto reads everything anew now' : 'Canto reads everything anew at its next start')
}

/** `follow`: people follow blogs elsewhere; not built yet, and nothing is pretended. */
export async function follow({ args: [address] }: Call): Promise<void> {
  throw new AppError('not-implemented', `This version cannot follow ${address}: it shows its own authors’ blogs only`)
}

/** `relink`: each author's own session sends the changed posts, now or when they next sign in. */
export async function relink(call: Call): Promise<void> {
  const { config, say } = call
  await using stack = new AsyncDisposableStack()
  const state = await openSiteState(call, stack)
  const index = stack.adopt(await openIndex(join(config.data, 'index.sqlite')), (db) => db.destroy())
  const account = config.xmpp?.jid ?? config.local.siteAccount
  const count = await relinkPosts({ config, state, index, clock: () => new Date(), siteDomain: domainOf(account) })
  if (count === 0) return say(`Every post links to ${config.url.href} already`)
  say(`${count} posts will link to ${config.url.href}: each is sent while its author is signed in`)
}

async function openSiteState({ config }: Call, stack: AsyncDisposableStack): Promise<StateDb> {
  const path = join(config.data, 'state.sqlite')
  if (!existsSync(path)) {
    throw new AppError('not-found', `There is no site in ${config.data} yet: run npm start, or set CANTO_DATA`)
  }
  return stack.adopt(await openState(path), (db) => db.destroy())
}
