import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import { deleteBlock, saveBlock } from '#server/store/community.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { requireSpace } from '#server/store/space-left.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import { isModerator, seeModerator } from '../owners.ts'
import { nodeRowAddress, queue } from '../queue-row.ts'
import { refuseUnseen } from './decide.ts'
import { judgeAgain } from './judge-again.ts'
import type { RemoveDeps } from './remove.ts'

export interface BlogBlock {
  readonly by: BareJid
  readonly blog: NodeAddress
  /** An account, or the domain of a server. */
  readonly jid: BareJid
}

/**
 * Shuts somebody, or everybody of a server, out of what is said on a blog: nothing of theirs is shown there. Returns the
 * request where the service is only asked for it, as the site does not see whose the blog is: nothing changes here then.
 */
export async function blockOnBlog(deps: RemoveDeps, block: BlogBlock): Promise<OutboxRow | undefined> {
  const { by, blog, jid } = block
  const isSeen = await requireOwner(deps, block)
  if (jid === by) throw new AppError('bad-request', 'This is yourself.')
  if (jid === domainOf(by)) throw new AppError('bad-request', 'This is your own server.')
  await requireSpace(deps, 'blocks', { account: by, row: { ...blog, jid } })
  if (!isSeen) return tellService(deps, block, 'outcast')
  await saveBlock(deps.state, { address: blog, jid, by, since: deps.clock() })
  await tellService(deps, block, 'outcast')
  await judgeAgain(deps, { jid })
  return undefined
}

/** What they said before is shown again, but for what was removed. Returns the request where it is only asked for. */
export async function unblockOnBlog(deps: RemoveDeps, block: BlogBlock): Promise<OutboxRow | undefined> {
  const { blog, jid } = block
  if (!(await requireOwner(deps, block))) return tellService(deps, block, 'none')
  await deleteBlock(deps.state, blog, jid)
  await tellService(deps, block, 'none')
  await judgeAgain(deps, { jid })
  return undefined
}

/** Whether the site sees that they own it; else it can only be asked for, where there is somebody to be asked. */
async function requireOwner(deps: RemoveDeps, { by, blog, jid }: BlogBlock): Promise<boolean> {
  if (await seeModerator(deps, by, blog)) return true
  if (!(await isModerator(deps, by, blog))) {
    throw new AppError('forbidden', 'Only who owns the blog can block somebody on it')
  }
  if (localPart(jid) === undefined) throw refuseUnseen(blog, 'Blocking a server')
  return false
}

/** On a community's node too; on a blog's nobody else may write anyway. */
async function tellService(deps: RemoveDeps, { by, blog, jid }: BlogBlock, affiliation: 'outcast' | 'none') {
  if (localPart(blog.service) !== undefined || localPart(jid) === undefined) return undefined
  const row = { account: by, address: nodeRowAddress(blog), key: randomUUID() }
  return queue(deps, { kind: 'block', jid, affiliation }, row)
}
