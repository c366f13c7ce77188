import { type Names, readNames, withAddress } from '#server/feeds/names.ts'
import { markOf } from '#server/feeds/participant-mark.ts'
import { type CommentRow, writerOf } from '#server/store/comment.ts'
import type { IndexDb } from '#server/store/database.ts'
import type { PersonName, PostRow } from '#server/store/post-row.ts'
import { sayAddress } from '#shared/look-alike.ts'
import type { PersonView } from '#web/views.ts'
import { ownerOfComments } from './rights.ts'

/** The names in a thread: of who wrote the post, and of who wrote below it. */
export interface ThreadNames extends Names {
  view(comment: CommentRow): PersonView
  /** For running text. */
  sayWriter(comment: CommentRow): string
}

/** Names of the writers of the comments that are shown, and of the comments that these answer. */
export async function readThreadNames(
  index: IndexDb,
  post: Pick<PostRow, 'address' | 'author' | 'comments'>,
  comments: readonly (CommentRow | undefined)[],
  others: readonly (PersonName | undefined)[] = [],
): Promise<ThreadNames> {
  const people = [post.author, ...others].flatMap((person) => (person ? [{ who: person.jid, name: person.name }] : []))
  const writers = comments.flatMap((row) => (row === undefined ? [] : namedBy(row)))
  const names = await readNames(index, [...people, ...writers], {
    owner: ownerOfComments(post),
    thread: post.comments,
  })

  function view(row: CommentRow): PersonView {
    const writer = row.isFromRoom ? undefined : writerOf(row)
    return { name: nameOf(row), jid: writer?.jid, beside: besideOf(names, row) }
  }
  return { ...names, view, sayWriter: (row) => withAddress(nameOf(row), besideOf(names, row)) }
}

/** The name as shown, without anything beside it. */
function nameOf({ author, claimedName, contributor }: CommentRow): string {
  return contributor?.name ?? author?.name ?? claimedName ?? 'Somebody'
}

/** The account that bears the name; none where it is unproved, for such a name is marked so and counts for nobody. */
function namedBy(row: CommentRow): { readonly who: string; readonly name: string }[] {
  const name = nameOf(row)
  if (row.isFromRoom) return [{ who: row.author?.jid ?? `?${row.participant}`, name }]
  const writer = writerOf(row)
  return writer === undefined ? [] : [{ who: writer.jid, name }]
}

/** In a room everybody has a name only, and the mark that its page gives them. */
function besideOf(names: Names, row: CommentRow): string | undefined {
  const [named] = namedBy(row)
  if (named === undefined || !names.isAmbiguous(named)) return undefined
  if (row.isFromRoom) return markOf(row.participant)
  const writer = writerOf(row)
  return writer && sayAddress(writer.jid)
}
