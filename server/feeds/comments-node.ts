import { isAppError } from '#server/errors.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { comments } from '#shared/profiles/index.ts'
import { mayHoldComments, type ServicesDeps } from './belief.ts'
import { isConfigured } from './blog-node.ts'
import { nameThread } from './thread-name.ts'

export interface CommentsQuestion extends ServicesDeps {
  readonly author: BareJid
  readonly post: ItemAddress
  readonly siteDomain: BareJid
  /** The title of the post. */
  readonly title: string
  readonly random: () => string
}

type CommentsSession = Pick<XmppSession, 'pubsub' | 'readServices'>

/**
 * Makes the node for a post's comments: on the PubSub service of the author's server if it lets the author, else on
 * the author's own account. Undefined where neither does, so that the post goes out without.
 */
export async function createCommentsNode(
  session: CommentsSession,
  question: CommentsQuestion,
): Promise<NodeAddress | undefined> {
  const { author } = question
  const { pubsub } = await session.readServices()
  const hasService = pubsub !== undefined && (await mayHoldComments(question, pubsub, author))
  for (const service of hasService ? [pubsub, author] : [author]) {
    const address = await createOn(session, service, question)
    if (address !== undefined) return address
  }
  return undefined
}

async function createOn(
  { pubsub }: CommentsSession,
  service: BareJid,
  { author, post, title, random }: CommentsQuestion,
): Promise<NodeAddress | undefined> {
  const name = nameThread(author, post)
  for (const node of [name, `${name}-${random()}`]) {
    const address = { service, node }
    try {
      const config = { ...comments.config, title: title.slice(0, 200) }
      const outcome = await pubsub.createNode(address, config)
      // Only its owner may read it: another's node of this name is left to them.
      const real = await pubsub.readConfig(address)
      const wanted = isConfigured(real, comments.config) ? real : await pubsub.configureNode(address, comments.config)
      if (isOpenToAll(wanted)) return address
      // One that was there before is its owner's, whatever it is.
      if (outcome === 'created') await pubsub.deleteNode(address)
      return undefined
    } catch (error) {
      // A service that is down must not hold up the post; where the account's own server is, nothing goes.
      if (service !== author && isAppError(error, 'unavailable', 'timeout')) return undefined
      if (!isAppError(error, 'forbidden', 'not-implemented', 'bad-request', 'conflict', 'not-found')) throw error
    }
  }
  return undefined
}

function isOpenToAll(config: Readonly<Record<string, string>>): boolean {
  const { access_model = 'open', publish_model = 'open' } = config
  return access_model === 'open' && publish_model === 'open'
}
