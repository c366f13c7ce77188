import { isModerator } from '#server/feeds/owners.ts'
import { isOwnPost } from '#server/feeds/queue.ts'
import type { Person } from '#server/people/people.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { AppContext } from './context.ts'

/** What somebody may do with a post, as far as it is known here: its service has the last word. */
export interface Rights {
  readonly mayEdit: boolean
  /** Their own post, or any of a community that they own. */
  readonly mayDelete: boolean
  /** Another's post in a community that they own. */
  readonly isModerator: boolean
}

export async function findRights(
  ctx: Pick<AppContext, 'state' | 'clock'>,
  post: PostRow,
  person: Person | undefined,
): Promise<Rights> {
  if (person === undefined) return { mayEdit: false, mayDelete: false, isModerator: false }
  const mayEdit = isOwnPost(person.jid, post.address, post)
  const isOwner = !mayEdit && (await isModerator(ctx, person.jid, post.address))
  return { mayEdit, mayDelete: mayEdit || isOwner, isModerator: isOwner }
}

/** Whose the comments on a post are to look after: of a blog its owner's, in a community the writer's. */
export function ownerOfComments({ address, author }: Pick<PostRow, 'address' | 'author'>): BareJid | undefined {
  const isBlog = address.node === NS.MICROBLOG && localPart(address.service) !== undefined
  return isBlog ? address.service : author?.jid
}
