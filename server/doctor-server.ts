import { lookup } from 'node:dns/promises'
import { addressKey } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import type { Config } from './config.ts'
import { isLoopbackHost } from './config-values.ts'
import { type Finding, fine, note, problem, warning } from './doctor-finding.ts'
import { describeError } from './errors.ts'
import { describeManyLost, type ManyLost } from './feeds/lose-node.ts'
import { explainSiteProblem } from './site-problem.ts'
import { isFeed, type NodeRow } from './store/node.ts'
import { isPublication, type OutboxCount } from './store/outbox.ts'
import { isCertificateError } from './xmpp/errors.ts'
import type { XmppSession } from './xmpp/ports.ts'

const ONLINE_TIMEOUT_MS = 20_000
/** Below this, a page of a dozen long posts does not fit into one answer. */
const SMALL_STANZA = 262_144
const LONG_MS = 3_600_000
const CLOCK_TOLERANCE_MS = 60_000

/** Whether the site account gets online; without that nothing else can be checked. */
export async function checkAccount(session: XmppSession, config: Config): Promise<Finding[]> {
  try {
    await Promise.race([session.whenOnline(ONLINE_TIMEOUT_MS), failByCertificate(session)])
  } catch (error) {
    const [words = '', mend = ''] = explainSiteProblem(error, config, session.jid).message.split(/: (?=[^:]*$)/)
    return [problem('Account', words, mend)]
  }
  const found = [fine('Account', `${session.jid} is online`)]
  if (session.isPrivateCertificate === true && !config.isLocal) {
    const words = `the certificate of ${domainOf(session.jid)} is known to this machine alone`
    found.push(warning('Certificate', words, 'Get one that everybody trusts, for instance from Let’s Encrypt'))
  }
  if (session.maxStanzaBytes !== undefined && session.maxStanzaBytes < SMALL_STANZA) {
    const words = `the server takes stanzas of ${session.maxStanzaBytes} bytes at most: a post may not be larger`
    found.push(
      warning('Limits', words, 'ejabberd: max_stanza_size: 524288\nProsody: c2s_stanza_size_limit = 512 * 1024'),
    )
  }
  return found
}

/** Rejects as soon as the server's certificate cannot be trusted: it will not be at the next attempt either. */
function failByCertificate(session: Pick<XmppSession, 'problem' | 'onStatus'>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const look = () => isCertificateError(session.problem) && reject(session.problem)
  session.onStatus(look)
  look()
  return promise
}

/** What the account's server offers beside the account. */
export async function checkServices(session: XmppSession): Promise<Finding[]> {
  const { pep, pubsub, mix, upload } = await session.readServices()
  const found: Finding[] = []
  if (!pep) {
    const mend = 'ejabberd: mod_pubsub with plugins: [flat, pep]\nProsody: "pep" in modules_enabled'
    found.push(problem('Services', 'accounts of this server have no PEP, where blogs live', mend))
  }
  if (pubsub === undefined) {
    const words = 'the server has no PubSub service: comments live on the accounts of the posts’ authors'
    const mend = 'ejabberd: mod_pubsub with hosts: ["pubsub.@HOST@"]\nProsody: Component "pubsub.DOMAIN" "pubsub"'
    found.push(warning('Services', words, mend))
  }
  const extras = { PubSub: pubsub, uploads: upload?.jid, rooms: mix }
  const words = Object.entries(extras).map(([name, jid]) => `${name}: ${jid ?? 'none'}`)
  return [...found, fine('Services', words.join(', '))]
}

/** The server's clock and ours: tokens, dates of posts and certificates need both. */
export async function checkClock(session: XmppSession): Promise<Finding[]> {
  try {
    const before = Date.now()
    const theirs = await session.readServerTime?.()
    if (theirs === undefined) return []
    const apart = Math.abs(theirs.getTime() - (before + Date.now()) / 2)
    if (apart < CLOCK_TOLERANCE_MS) return [fine('Clock', 'agrees with that of the XMPP server')]
    const words = `it is ${new Date().toISOString()} here and ${theirs.toISOString()} on the XMPP server`
    return [problem('Clock', words, 'Set the wrong one; systemd-timesyncd or chrony keep it right')]
  } catch (error) {
    return [fine('Clock', `the XMPP server does not tell the time (${describeError(error)})`)]
  }
}

/** Whether the web side answers, where it should. */
export async function checkWeb({ host, port, url }: Config): Promise<Finding[]> {
  const local = `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
  const answer = await fetch(`${local}/healthz`, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
  if (answer === undefined) return [note('Web', `Canto does not run on ${local} now`)]
  if (!answer.ok) {
    const words = `${local}/healthz answers ${answer.status}: ${await readProblems(answer)}`
    return [problem('Web', words, 'Look at what Canto prints')]
  }
  const name = isLoopbackHost(url.hostname) || (await lookup(url.hostname).catch(() => undefined))
  const found = isLoopbackHost(url.hostname) ? [] : judgeReaders(await readHealth(answer))
  if (name !== undefined) return [fine('Web', `Canto answers on ${local}`), ...found]
  return [
    ...found,
    problem('Web', `${url.hostname} has no address in DNS`, 'Add an A or AAAA record, or correct CANTO_URL'),
  ]
}

interface Health {
  readonly problems?: readonly string[]
  /** `one-network` where all of many readers seem to be in one. */
  readonly readers?: string
}

async function readHealth(answer: Response): Promise<Health> {
  return (await answer.json().catch(() => ({}))) as Health
}

async function readProblems(answer: Response): Promise<string> {
  const { problems = [] } = await readHealth(answer)
  return problems.join('; ') || 'it says no reason'
}

function judgeReaders({ readers }: Health): Finding[] {
  if (readers !== 'one-network') return []
  const words =
    'all readers of the last hour seem to come from one address: they share its limits, of sign-ins and of live pages'
  const mend =
    'If that is a reverse proxy, name it in CANTO_PROXY, and each one behind it, and have it send X-Forwarded-For'
  return [warning('Web', words, mend)]
}

interface KnownNodes {
  readonly nodes: readonly NodeRow[]
  readonly authors: readonly BareJid[]
  /** Nodes of comments of which only the newest are read. */
  readonly cutThreads: number
}

const LEFT_OUT = {
  cut: 'it has more posts than are read here: only the newest are shown',
  partial: 'its server gives only its newest posts: older ones may be missing',
} as const

/** The blogs and communities that could not be read when they were last tried, and what is not read whole. */
export function checkBlogs({ nodes, authors, cutThreads }: KnownNodes): Finding[] {
  const feeds = nodes.filter(isFeed)
  const silent = feeds.filter(({ problem: words, status }) => words !== undefined || status !== 'open')
  const found = silent.map(({ address, owner, status, problem: words }) => {
    const isAuthors = owner !== undefined && authors.includes(owner)
    const what = isAuthors ? `the blog of ${owner}` : `${addressKey(address)}, which is followed here,`
    const mend = isAuthors ? 'Its author signs in on the web once more' : 'Canto tries again by itself'
    return warning('Blogs', `${what} is not shown as it should: ${words ?? `its node is ${status}`}`, mend)
  })
  return [...(found.length > 0 ? found : [fine('Blogs', `${feeds.length} can be read`)]), ...noteCut(feeds, cutThreads)]
}

/** Notes feeds of which only the newest posts are read, or given, and how many threads are too long to be read whole. */
function noteCut(feeds: readonly NodeRow[], cutThreads: number): Finding[] {
  const found = feeds.flatMap(({ address, backfill }) => {
    if (backfill !== 'cut' && backfill !== 'partial') return []
    return note('Blogs', `${addressKey(address)}: ${LEFT_OUT[backfill]}`)
  })
  if (cutThreads > 0)
    found.push(note('Blogs', `${cutThreads} posts have more comments than are read here: some are not shown`))
  return found
}

/** Warns when so many nodes are lost at once that none of them counts as lost. */
export function checkLost(lost: ManyLost | undefined): Finding[] {
  if (lost === undefined) return []
  const mend = `Look whether your XMPP server, or a firewall, keeps Canto from other servers (ejabberd: s2s_access;
Prosody: s2s_blacklist, mod_firewall). If they are gone for good: npm run canto -- reindex`
  return [warning('Index', `it is kept as it is: ${describeManyLost(lost)}`, mend)]
}

/** Tells what waits to be published, and for how long, and how much was refused. */
export function checkOutbox(rows: readonly OutboxCount[], now: Date): Finding[] {
  return [...checkWaiting(rows, now), ...noteRefused(rows)]
}

function noteRefused(rows: readonly OutboxCount[]): Finding[] {
  const { count } = publicationsOf(rows, 'refused')
  if (count === 0) return []
  return [note('Outbox', `${count} ${count === 1 ? 'was' : 'were'} refused: the author sees why under Drafts`)]
}

function checkWaiting(rows: readonly OutboxCount[], now: Date): Finding[] {
  const { count, found: waiting } = publicationsOf(rows, 'waiting')
  if (count === 0) return [fine('Outbox', 'nothing waits to be published')]
  const oldest = Math.min(...waiting.map((row) => row.oldest.getTime()))
  const words = `${count} waits to be published, since ${new Date(oldest).toISOString()}`
  if (now.getTime() - oldest < LONG_MS) return [note('Outbox', words)]
  return [
    warning('Outbox', words, 'Each is sent while its author is signed in; its author sees the reason under Drafts'),
  ]
}

function publicationsOf(rows: readonly OutboxCount[], status: OutboxCount['status']) {
  const found = rows.filter((row) => row.status === status && isPublication(row))
  return { found, count: found.reduce((sum, row) => sum + row.count, 0) }
}
