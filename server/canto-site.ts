import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { addressKey, type NodeAddress, readXmppUri } from '#shared/address.ts'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { nodePath } from '#shared/paths.ts'
import type { Call } from './canto.ts'
import { AppError } from './errors.ts'
import { askReindex, blogOf } from './feeds/indexing.ts'
import { relink as relinkPosts } from './feeds/relink.ts'
import { isRunning } from './local/use-local-server.ts'
import { openIndex, openState, type StateDb } from './store/database.ts'
import { addFollow, deleteFollow, findFollow, listFollows, SITE } from './store/follow.ts'

/** `reindex`: the server does it, for it holds the site's session. */
export async function reindex(call: Call): Promise<void> {
  await using stack = new AsyncDisposableStack()
  await askReindex(await openSiteState(call, stack), new Date())
  call.say(isRunning(call.config) ? 'Canto reads everything anew now' : 'Canto reads everything anew at its next start')
}

/** `follow`: the site account subscribes to a feed elsewhere; its public posts get pages here, out of every list. */
export async function follow(call: Call): Promise<void> {
  const address = readFeed(call)
  await using stack = new AsyncDisposableStack()
  const state = await openSiteState(call, stack)
  const outcome = await addFollow(state, { follower: SITE, address, since: new Date() })
  const path = nodePath({ domain: domainOf(siteAccount(call)) }, address)
  const name = address.node === NS.MICROBLOG ? address.service : addressKey(address)
  call.say(
    `${name} ${outcome === 'added' ? 'is followed now' : 'was followed already'}: its public posts are at ${path}`,
  )
}

/** `unfollow`: the site itself no longer follows it; what people here follow stays. */
export async function unfollow(call: Call): Promise<void> {
  const address = readFeed(call)
  await using stack = new AsyncDisposableStack()
  const state = await openSiteState(call, stack)
  const name = address.node === NS.MICROBLOG ? address.service : addressKey(address)
  if ((await findFollow(state, SITE, address)) === undefined) {
    const followed = (await listFollows(state, SITE)).map((follow) => `  ${addressKey(follow.address)}`).join('\n')
    throw new AppError('not-found', `The site does not follow ${name}. It follows:\n${followed || '  nothing'}`)
  }
  await deleteFollow(state, { follower: SITE, address })
  call.say(`${name} is not followed any more`)
}

/** The blog of an account, or the node of an `xmpp:` URI. */
function readFeed({ args: [address = ''] }: Call): NodeAddress {
  const uri = address.startsWith('xmpp:') ? readXmppUri(address) : undefined
  const jid = uri?.service ?? readBareJid(address)
  if (jid !== undefined && uri?.node !== undefined) return { service: jid, node: uri.node }
  if (jid !== undefined && localPart(jid) !== undefined) return blogOf(jid)
  throw new AppError(
    'bad-request',
    `"${address}" is no blog: write an XMPP address such as juliet@capulet.example, or xmpp:SERVICE?;node=NODE`,
  )
}

function siteAccount({ config }: Call): BareJid {
  return config.xmpp?.jid ?? config.local.siteAccount
}

/** `relink`: each author's own session sends the changed posts, now or when they next sign in. */
export async function relink(call: Call): Promise<void> {
  const { config, say } = call
  await using stack = new AsyncDisposableStack()
  const state = await openSiteState(call, stack)
  const index = stack.adopt(await openIndex(join(config.data, 'index.sqlite')), (db) => db.destroy())
  const count = await relinkPosts({
    config,
    state,
    index,
    clock: () => new Date(),
    siteDomain: domainOf(siteAccount(call)),
  })
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
