import { isAppError } from '#server/errors.ts'
import type { IndexDb } from '#server/store/database.ts'
import { saveProfile } from '#server/store/entry.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import type { Disco, DiscoInfo } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { type BareJid, localPart, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { findProfile } from '#shared/profiles/index.ts'
import { cleanLine } from '#shared/text.ts'

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
  readonly clock: () => Date
  readonly site: { readonly disco: Pick<Disco, 'readInfo'> }
}

const DAY = 86_400_000
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

/** The access model of a node, where its service tells it; a service that is down rejects. */
export async function readAccessModel(
  disco: Pick<Disco, 'readInfo'>,
  { service, node }: NodeAddress,
): Promise<string | undefined> {
  try {
    return readNodeInfo(await disco.readInfo(service, node)).accessModel
  } catch (error) {
    if (!isAppError(error) || isAppError(error, 'unavailable', 'timeout')) throw error
    return undefined
  }
}

/**
 * A community's row with what its service says about it; an answer, and a refusal too, is good for a day. Of an
 * account's own nodes servers tell strangers nothing. COMPAT(Prosody 13): it does not even answer.
 */
export async function learnNodeInfo({ index, clock, site }: NodeInfoDeps, row: NodeRow): Promise<NodeRow> {
  const now = clock().getTime()
  const isFresh = row.infoReadAt !== undefined && isWithinLast(DAY, row.infoReadAt, now)
  if (row.kind !== 'community' || localPart(row.address.service) !== undefined || isFresh) return row
  try {
    const info = readNodeInfo(await site.disco.readInfo(row.address.service, row.address.node))
    const { title = null, description = null, type = null, accessModel = null, publishModel = null } = info
    await updateNode(index, row.address, { title, description, type, accessModel, publishModel, infoReadAt: now })
    const profile = info.type === undefined ? undefined : findProfile({ type: info.type, node: row.address.node })
    // An event may have come before the answer; all of them read an entry alike.
    if (profile !== undefined) await saveProfile(index, row.id, profile.name)
  } catch (error) {
    // A server that is down may tell later.
    if (!isAppError(error)) throw error
    if (!isAppError(error, 'unavailable', 'timeout')) await updateNode(index, row.address, { infoReadAt: now })
  }
  return (await findNode(index, row.address)) ?? row
}
