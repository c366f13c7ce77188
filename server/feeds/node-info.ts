import { isAppError } from '#server/errors.ts'
import { noteOwners } from '#server/store/community.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { findNode, isFeed, type NodeRow, updateNode } from '#server/store/node.ts'
import type { Disco, DiscoInfo, Pubsub } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { type BareJid, localPart, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { cleanLine } from '#shared/text.ts'
import { WORD_COUNTS } from './access.ts'

/** What a service tells everybody about a node (XEP-0060 §5.4). */
export interface NodeInfo {
  readonly title?: string
  readonly description?: string
  /** `pubsub#type`. */
  readonly type?: string
  readonly accessModel?: string
  readonly publishModel?: string
  /** `pubsub#owner`. COMPAT(Prosody 13): it names none. */
  readonly owners: readonly BareJid[]
}

export interface NodeInfoDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly clock: () => Date
  readonly site: { readonly disco: Pick<Disco, 'readInfo'>; readonly pubsub: Pick<Pubsub, 'listAffiliations'> }
}

const DAY = 86_400_000
/** How long an answer is good for comments and attachments, of which there are many. */
const WEEK = 7 * DAY
const MOST_OWNERS = 50

/** Clean and bounded, from the form in an answer; a field that is empty says nothing. */
export function readNodeInfo({ forms }: DiscoInfo): NodeInfo {
  const fields = forms.get(NS.PUBSUB_META_DATA)
  const read = (name: string, length: number) =>
    cleanLine((fields?.get(`pubsub#${name}`) ?? []).slice(0, 50).join(' '), length) || undefined
  return {
    title: read('title', 300),
    description: read('description', 2_000),
    type: read('type', 200),
    accessModel: read('access_model', 20),
    publishModel: read('publish_model', 20),
    owners: (fields?.get('pubsub#owner') ?? []).slice(0, MOST_OWNERS).flatMap((jid) => readBareJid(jid) ?? []),
  }
}

type AccessModelSite = NodeInfoDeps['site']

/** The access model of a node, as far as its service tells it; a service that is down rejects. */
export async function readAccessModel(site: AccessModelSite, address: NodeAddress): Promise<string | undefined> {
  try {
    return await askAccessModel(site, address)
  } catch (error) {
    if (!isAppError(error) || isAppError(error, 'unavailable', 'timeout')) throw error
    return undefined
  }
}

/**
 * Few accounts tell others the access model of their nodes. Of the rest the own affiliation tells a whitelist, as nothing
 * else needs members (XEP-0060 §4.1, §4.5). COMPAT(Prosody 13): it does not tell affiliations (§5.7).
 */
async function askAccessModel(
  { disco, pubsub }: AccessModelSite,
  { service, node }: NodeAddress,
): Promise<string | undefined> {
  if (localPart(service) === undefined) return readNodeInfo(await disco.readInfo(service, node)).accessModel
  const told = (await askNodeInfo(disco, { service, node }))?.accessModel
  if (told !== undefined) return told
  const own = await pubsub.listAffiliations(service)
  return own.some((each) => each.node === node && each.affiliation === 'member') ? 'whitelist' : undefined
}

/** Undefined where the service refuses to tell; rejects where it does not answer. */
export async function askNodeInfo(
  disco: AccessModelSite['disco'],
  { service, node }: NodeAddress,
): Promise<NodeInfo | undefined> {
  try {
    return readNodeInfo(await disco.readInfo(service, node))
  } catch (error) {
    if (!isAppError(error) || isAppError(error, 'unavailable', 'timeout')) throw error
    return undefined
  }
}

/**
 * A node's row with what its service says about it; an answer, and a refusal too, is good for a day. Of an account's own
 * nodes servers tell strangers nothing but their own affiliation.
 */
export async function learnNodeInfo(deps: NodeInfoDeps, row: NodeRow): Promise<NodeRow> {
  const now = deps.clock().getTime()
  const isOfAccount = localPart(row.address.service) !== undefined
  const good = isOfAccount && row.accessModel === 'open' ? WORD_COUNTS : isFeed(row) ? DAY : WEEK
  if (row.infoReadAt !== undefined && isWithinLast(good, row.infoReadAt, now)) return row
  try {
    await learnInfo(deps, row)
  } catch (error) {
    if (!isAppError(error)) throw error
    // A node is not shown before its access is known; a server that is down may tell later.
    const isSilent = isAppError(error, 'unavailable') || (isAppError(error, 'timeout') && !isOfAccount)
    if (isSilent && row.infoReadAt === undefined) throw error
    if (!isSilent) await updateNode(deps.index, row.address, { infoReadAt: now, ...forgetOpen(row, isOfAccount) })
  }
  return (await findNode(deps.index, row.address)) ?? row
}

/** The word of an account's server ceases to count once it does not repeat it. */
function forgetOpen({ accessModel }: NodeRow, isOfAccount: boolean): { accessModel?: null } {
  return isOfAccount && accessModel === 'open' ? { accessModel: null } : {}
}

async function learnInfo({ index, state, clock, site }: NodeInfoDeps, row: NodeRow): Promise<void> {
  const infoReadAt = clock().getTime()
  if (!isFeed(row) || localPart(row.address.service) !== undefined) {
    const accessModel = (await askAccessModel(site, row.address)) ?? null
    return updateNode(index, row.address, { accessModel, infoReadAt })
  }
  const info = readNodeInfo(await site.disco.readInfo(row.address.service, row.address.node))
  await noteOwners(state, row.address, { owners: info.owners, now: clock() })
  const { title = null, description = null, type = null, accessModel = null, publishModel = null } = info
  await updateNode(index, row.address, { title, description, type, accessModel, publishModel, infoReadAt })
}
