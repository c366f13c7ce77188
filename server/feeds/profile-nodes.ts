import type { XmppSession } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { cleanLine } from '#shared/text.ts'
import { childrenOf, isWithinBounds, textOf } from '#shared/xml.ts'

const AVATAR_BYTES = 100 * 1024

/** What an account calls itself (XEP-0172), where the asker may know. */
export async function readNickname({ pubsub }: XmppSession, service: BareJid): Promise<string | undefined> {
  const [item] = (await pubsub.listItems({ service, node: NS.NICK }, { max: 1 })).items
  const payload = item?.payload
  if (payload === undefined || !isWithinBounds(payload) || !payload.is('nick', NS.NICK)) return undefined
  return cleanLine(textOf(payload), 100) || undefined
}

/** The picture that the metadata names (XEP-0084 §4.1), if it is no larger than it should be; its bytes may be anything. */
export async function readAvatar({ pubsub }: XmppSession, service: BareJid): Promise<Buffer | undefined> {
  const [item] = (await pubsub.listItems({ service, node: NS.AVATAR_METADATA }, { max: 1 })).items
  const payload = item?.payload
  if (payload === undefined || !isWithinBounds(payload)) return undefined
  const inline = childrenOf(payload, 'info', NS.AVATAR_METADATA).find(({ attrs }) => attrs.url === undefined)
  const id = inline?.attrs.id
  if (id === undefined || id === '' || !(Number(inline?.attrs.bytes) <= AVATAR_BYTES)) return undefined
  const data = (await pubsub.findItem({ service, node: NS.AVATAR_DATA, item: asItemId(String(id)) }))?.payload
  if (data === undefined || !isWithinBounds(data) || !data.is('data', NS.AVATAR_DATA)) return undefined
  const bytes = Buffer.from(textOf(data), 'base64')
  return bytes.length > 0 && bytes.length <= AVATAR_BYTES ? bytes : undefined
}
