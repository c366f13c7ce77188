import { randomBytes } from 'node:crypto'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { comments, microblog } from '#shared/profiles/index.ts'
import type { NodeConfig } from '#shared/profiles/profile.ts'
import { parseXml } from '#shared/xml.ts'
import { type Finding, fine, problem, warning } from './doctor-finding.ts'
import { describeError, isAppError } from './errors.ts'
import type { XmppSession } from './xmpp/ports.ts'

/** A post a day for 27 years. */
const MANY_ITEMS = 10_000
const POSTS = 8
const POST_BYTES = 5_000
/** Unlimited servers take milliseconds; Debian's limits let 3 to 10 kB through in a second. */
const SLOW_MS = 2_000

type Deps = Pick<XmppSession, 'jid' | 'pubsub' | 'readServices'>

/** Makes a node as a blog has it, and looks at what the server made of it. */
export async function checkBlogNode(session: Deps): Promise<Finding[]> {
  const address = { service: session.jid, node: `canto-doctor-${randomBytes(6).toString('hex')}` }
  return withNode(session, { address, config: microblog.config, subject: 'Blog node' }, async (real) => [
    ...judgeConfig(real),
    ...(await checkRoom(session, address)),
    ...(await checkSpeed(session, address)),
  ])
}

/** The same for comments, where they would be put. */
export async function checkCommentsNode(session: Deps): Promise<Finding[]> {
  const { pubsub } = await session.readServices()
  const address = {
    service: pubsub ?? session.jid,
    node: `${NS.COMMENTS_PREFIX}canto-doctor-${randomBytes(6).toString('hex')}`,
  }
  return withNode(session, { address, config: comments.config, subject: 'Comments' }, async (real) =>
    judgeComments(real, address.service),
  )
}

interface Trial {
  readonly address: NodeAddress
  readonly config: NodeConfig
  readonly subject: string
}

async function withNode(
  { pubsub }: Deps,
  trial: Trial,
  look: (real: NodeConfig) => Promise<Finding[]>,
): Promise<Finding[]> {
  const { address, config, subject } = trial
  try {
    await pubsub.createNode(address, config)
  } catch (error) {
    return [refused(subject, address.service, error)]
  }
  try {
    return await look(await pubsub.configureNode(address, config))
  } catch (error) {
    return [
      problem(subject, `a new node cannot be used: ${describeError(error)}`, 'Look into the log of the XMPP server'),
    ]
  } finally {
    await pubsub.deleteNode(address).catch(() => {})
  }
}

function refused(subject: string, service: BareJid, error: unknown): Finding {
  if (subject === 'Blog node')
    return problem(
      subject,
      `the account may not make one: ${describeError(error)}`,
      'Look into the log of the XMPP server',
    )
  const words = isAppError(error, 'forbidden', 'not-implemented')
    ? `${service} lets the site account make no nodes: comments live on the accounts of the posts’ authors`
    : `${service} fails: ${describeError(error)}`
  return warning(
    subject,
    words,
    'ejabberd: access_createnode: local\nProsody: admins = { "the authors\' addresses" } under the Component',
  )
}

/** What matters of a blog's node, in words. */
function judgeConfig(real: NodeConfig): Finding[] {
  const subject = 'Blog node'
  const found: Finding[] = []
  if (real.access_model !== 'open') {
    found.push(
      problem(
        subject,
        `it is not open but "${real.access_model}": nobody elsewhere can read it`,
        'Remove force_node_config from the server’s configuration',
      ),
    )
  }
  if (isOff(real.persist_items)) {
    found.push(
      problem(subject, 'posts are not kept', 'ejabberd: no ignore of persist_items\nProsody: storage for "pep"'),
    )
  }
  if (isOn(real.presence_based_delivery)) {
    found.push(
      problem(
        subject,
        'only readers who are online and in the author’s contacts hear of new posts',
        'ejabberd: plugins: [flat, pep], and no force_node_config',
      ),
    )
  }
  if (isOff(real.notify_retract)) {
    found.push(
      warning(
        subject,
        'readers are not told of deleted posts',
        'Remove force_node_config from the server’s configuration',
      ),
    )
  }
  return found.length > 0 ? found : [fine(subject, 'open, kept, and announced to everybody who subscribes')]
}

/** A node that says "max" does not say how many that is, so it is asked for a number. */
async function checkRoom({ pubsub }: Deps, address: NodeAddress): Promise<Finding[]> {
  const real = await pubsub.configureNode(address, { max_items: String(MANY_ITEMS) }).catch(() => undefined)
  if (real?.max_items === String(MANY_ITEMS)) return []
  const words = `the server deletes the older posts of a blog that has fewer than ${MANY_ITEMS.toLocaleString('en')}`
  const mend =
    'ejabberd: max_items_node: 1000000 under mod_pubsub\nProsody: pep_max_items = 1000000, and pubsub_max_items of the Component'
  return [warning('Blog node', words, mend)]
}

function judgeComments(real: NodeConfig, service: BareJid): Finding[] {
  const { access_model = 'open', publish_model = 'open' } = real
  if (access_model === 'open' && publish_model === 'open') return [fine('Comments', `anybody may write, on ${service}`)]
  const words = `on ${service} not everybody may comment (access ${access_model}, publishing ${publish_model})`
  return [warning('Comments', words, 'Remove force_node_config from the server’s configuration')]
}

/** Debian's servers slow every client down so far that a site feels broken. */
async function checkSpeed({ pubsub }: Deps, address: NodeAddress): Promise<Finding[]> {
  const payload = parseXml(
    `<entry xmlns='${NS.ATOM}'><title>Doctor</title><content type='text'>${'x'.repeat(POST_BYTES)}</content></entry>`,
  )
  if (payload === undefined) return []
  const start = performance.now()
  // All at once: what is measured is the server's limit, not the way there.
  const numbers = Array.from({ length: POSTS }, (_, n) => n)
  await Promise.all(numbers.map((n) => pubsub.publishItem({ ...address, item: asItemId(`trial-${n}`) }, payload)))
  const ms = Math.round(performance.now() - start)
  if (ms < SLOW_MS) return [fine('Speed', `${POSTS} posts of ${POST_BYTES} bytes took ${ms} ms`)]
  const words = `${POSTS} posts of ${POST_BYTES} bytes took ${(ms / 1000).toFixed(1)} s: the server slows its clients down`
  const mend =
    'ejabberd: shaper: normal: {rate: 1000000, burst_size: 1000000}\nProsody: limits = { c2s = { rate = "1mb/s" } }'
  return [warning('Speed', words, mend)]
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true'
}

function isOff(value: string | undefined): boolean {
  return value === '0' || value === 'false'
}
