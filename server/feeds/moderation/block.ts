import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import { deleteBlock, saveBlock } from '#server/store/community.ts'
import { requireSpace } from '#server/store/space-left.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import { isModerator } from '../communities.ts'
import { nodeRowAddress, queue } from '../queue-row.ts'
import { mayModerate } from './decide.ts'
import { judgeAgain, type RejudgeDeps } from './judge-again.ts'
import type { RemoveDeps } from './remove.ts'

export interface BlogBlock {
  readonly by: BareJid
  readonly blog: NodeAddress
  /** An account, or the domain of a server. */
  readonly jid: BareJid
}

/** Shuts somebody, or everybody of a server, out of what is said on a blog: nothing of theirs is shown there. */
export async function blockOnBlog(deps: RemoveDeps & RejudgeDeps, { by, blog, jid }: BlogBlock): Promise<void> {
  const isSeen = await requireOwner(deps, by, blog)
  if (jid === by) throw new AppError('bad-request', 'This is yourself.')
  if (jid === domainOf(by)) throw new AppError('bad-request', 'This is your own server.')
  await requireSpace(deps, 'blocks', { account: by, row: { ...blog, jid } })
  if (!isSeen) return tellService(deps, { by, blog, jid }, 'outcast')
  await saveBlock(deps.state, { address: blog, jid, by, since: deps.clock() })
  await tellService(deps, { by, blog, jid }, 'outcast')
  await judgeAgain(deps, { jid })
}

/** What they said before is shown again, but for what was removed. */
export async function unblockOnBlog(deps: RemoveDeps & RejudgeDeps, { by, blog, jid }: BlogBlock): Promise<void> {
  if (!(await requireOwner(deps, by, blog))) return tellService(deps, { by, blog, jid }, 'none')
  await deleteBlock(deps.state, blog, jid)
  await tellService(deps, { by, blog, jid }, 'none')
  await judgeAgain(deps, { jid })
}

/** Whether the site has seen of late that they own it; else it is sent, and done here once its effect is seen. */
async function requireOwner(deps: RemoveDeps, by: BareJid, blog: NodeAddress): Promise<boolean> {
  if (await mayModerate(deps, by, { ...blog, item: asItemId('') })) return true
  if (await isModerator(deps, by, blog)) return false
  throw new AppError('forbidden', 'Only who owns the blog can block somebody on it')
}

/** On a community's node too; on a blog's nobody else may write anyway. */
async function tellService(deps: RemoveDeps, { by, blog, jid }: BlogBlock, affiliation: 'outcast' | 'none') {
  if (localPart(blog.service) !== undefined || localPart(jid) === undefined) return
  await queue(
    deps,
    { kind: 'block', jid, affiliation },
    { account: by, address: nodeRowAddress(blog), key: randomUUID() },
  )
}
