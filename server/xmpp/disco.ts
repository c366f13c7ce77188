import { Element } from 'ltx'
import { type BareJid, domainOf, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { readForm } from './data-form.ts'
import type { Disco, DiscoInfo, Services } from './ports.ts'
import type { Ask } from './requests.ts'

const MAX_SERVICES = 30

/** Service discovery (XEP-0030). */
export function createDisco(ask: Ask): Disco {
  async function query(ns: string, jid: string, node: string | undefined): Promise<Element> {
    const answer = await ask('get', jid, new Element('query', { xmlns: ns, ...(node !== undefined && { node }) }))
    return answer.getChild('query', ns) ?? new Element('query', { xmlns: ns })
  }
  return {
    readInfo: async (jid, node) => readInfo(await query(NS.DISCO_INFO, jid, node)),
    async listItems(jid, node) {
      const answer = await query(NS.DISCO_ITEMS, jid, node)
      return answer.getChildren('item').flatMap(({ attrs }) => {
        if (attrs.jid === undefined) return []
        return [
          {
            jid: attrs.jid,
            ...(attrs.node !== undefined && { node: attrs.node }),
            ...(attrs.name && { name: attrs.name }),
          },
        ]
      })
    },
  }
}

function readInfo(query: Element): DiscoInfo {
  const identities = query.getChildren('identity').map(({ attrs }) => ({
    category: attrs.category ?? '',
    type: attrs.type ?? '',
    ...(attrs.name !== undefined && { name: attrs.name }),
  }))
  const features = new Set(query.getChildren('feature').flatMap(({ attrs }) => attrs.var ?? []))
  const forms = new Map<string, ReadonlyMap<string, readonly string[]>>()
  for (const element of query.getChildren('x', NS.DATA_FORMS)) {
    const fields = new Map([...readForm(element)].map(([name, field]) => [name, field.values] as const))
    forms.set(fields.get('FORM_TYPE')?.[0] ?? '', fields)
  }
  return { identities, features, forms }
}

/** What the account's server offers: its own features, and the services among its items. */
export async function findServices(jid: BareJid, disco: Disco): Promise<Services> {
  const domain = domainOf(jid)
  const [items, account] = await Promise.all([disco.listItems(domain), readQuietly(disco, jid)])
  const jids = items.flatMap((item) => (item.node === undefined ? (readBareJid(item.jid) ?? []) : []))
  const infos = await Promise.all(
    [domain, ...new Set(jids)]
      .slice(0, MAX_SERVICES)
      .map(async (service) => [service, await readQuietly(disco, service)] as const),
  )
  const find = (test: (info: DiscoInfo) => boolean) => infos.find(([, info]) => info !== undefined && test(info))
  const has = (info: DiscoInfo | undefined, category: string, type: string) =>
    info?.identities.some((identity) => identity.category === category && identity.type === type) ?? false
  const pubsub = find((info) => has(info, 'pubsub', 'service'))?.[0]
  const mix = find((info) => has(info, 'conference', 'mix') && info.features.has(NS.MIX_CORE))?.[0]
  const upload = find((info) => info.features.has(NS.UPLOAD))
  const maxSize = Number(upload?.[1]?.forms.get(NS.UPLOAD)?.get('max-file-size')?.[0])
  return {
    pep:
      has(account, 'pubsub', 'pep') ||
      infos.some(([service, info]) => service === domain && has(info, 'pubsub', 'pep')),
    ...(pubsub !== undefined && { pubsub }),
    ...(mix !== undefined && { mix }),
    ...(upload && { upload: { jid: upload[0], ...(maxSize > 0 && { maxSize }) } }),
  }
}

async function readQuietly(disco: Disco, jid: string): Promise<DiscoInfo | undefined> {
  try {
    return await disco.readInfo(jid)
  } catch {
    // A service that is down or does not answer is as good as none.
    return undefined
  }
}
