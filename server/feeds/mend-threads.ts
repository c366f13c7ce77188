import { describeError } from '#server/errors.ts'
import { listMissingThreads } from '#server/store/thread-node.ts'
import type { Pubsub } from '#server/xmpp/ports.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { comments } from '#shared/profiles/index.ts'
import type { AuthorsDeps } from './authors.ts'

/** The newest posts are those that get comments. */
const MOST = 20

/**
 * Makes the comments nodes that an author's posts link to and that are not there. One that exists, and is closed, is
 * left as it is: opening it is its owner's word to say.
 */
export async function mendThreads(
  deps: AuthorsDeps & { readonly log?: { info(words: string): void } },
  pubsub: Pick<Pubsub, 'createNode'>,
  author: BareJid,
): Promise<void> {
  for (const address of await listMissingThreads(deps.index, author, MOST)) {
    try {
      // COMPAT(Libervia 0.9): ejabberd refuses its configuration, and its posts link to a node that was never made.
      if ((await pubsub.createNode(address, comments.config)) === 'created') deps.indexing?.watch(address)
    } catch (error) {
      deps.log?.info(`${addressKey(address)} could not be made: ${describeError(error)}`)
    }
  }
}
