import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { type BareJid, domainOf, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { detachText } from '#shared/text.ts'
import { isWithinBounds } from '#shared/xml.ts'
import { readForm } from './data-form.ts'
import type { Disco, DiscoInfo, DiscoItem, Services } from './ports.ts'
import type { Ask } from './requests.ts'

const MAX_SERVICES = 30
/** A service may page in smaller steps than it was asked to. */
const MAX_PAGES = 20
/** Items among which the services of a domain are looked for. */
const MAX_ITEMS = 100
/** UTF-16 units: an address is no longer (RFC 7622 §3.1), and nobody reads on in a longer name. */
const LONGEST = { jid: 3_071, node: 1_024, name: 300 }
/** What the information on an entity may be: far more than any has. */
const INFO_LIMITS = { bytes: 256 * 1024, children: 10_000, depth: 20 }

/** Service discovery (XEP-0030). */
export function createDisco(ask: Ask): Disco {
  async function query(jid: string, query: Element): Promise<Element> {
    const answer = await ask('get', jid, query)
    const ns = String(query.attrs.xmlns)
    return answer.getChild('query', ns) ?? new Element('query', { xmlns: ns })
  }
  const askFor = (ns: string, node: string | undefined) =>
    new Element('query', { xmlns: ns, ...(node !== undefined && { node }) })

  async function listSome(jid: string, node: string | undefined, max: number): Promise<DiscoItem[]> {
    const found: DiscoItem[] = []
    let after: string | undefined
    for (let page = 0; page < MAX_PAGES && found.length < max; page++) {
      const request = askFor(NS.DISCO_ITEMS, node)
      const set = request.c('set', { xmlns: NS.RSM })
      set.c('max').t(String(max - found.length))
      if (after !== undefined) set.c('after').t(after)
      const answer = await query(jid, request)
      const items = readItems(answer)
      found.push(...items.flatMap(boundItem).slice(0, max - found.length))
      const last = answer.getChild('set', NS.RSM)?.getChild('last')?.getText()
      if (items.length === 0 || !last || last === after) break
      after = last
    }
    return found
  }

  return {
    async readInfo(jid, node) {
      const answer = await query(jid, askFor(NS.DISCO_INFO, node))
      if (!isWithinBounds(answer, INFO_LIMITS)) {
        throw new AppError('too-large', `${jid} tells more about itself than is read`)
      }
      return readInfo(answer)
    },
    async listItems(jid, node, { max } = {}) {
      if (max !== undefined) return listSome(jid, node, max)
      return readItems(await query(jid, askFor(NS.DISCO_ITEMS, node)))
    },
  }
}

function readItems(query: Element): DiscoItem[] {
  return query.getChildren('item').flatMap(({ attrs }) => {
    if (attrs.jid === undefined) return []
    return [
      {
        jid: attrs.jid,
        ...(attrs.node !== undefined && { node: attrs.node }),
        ...(attrs.name && { name: attrs.name }),
      },
    ]
  })
}

/** What is kept of an item of a service that anybody may run: nothing where its address is none. */
function boundItem({ jid, node, name }: DiscoItem): DiscoItem[] {
  if (jid.length > LONGEST.jid || (node?.length ?? 0) > LONGEST.node) return []
  return [{ jid, ...(node !== undefined && { node }), ...(name && { name: detachText(name.slice(0, LONGEST.name)) }) }]
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

export interface FoundServices {
  readonly services: Services
  /** Whether everybody who was asked answered: who is down now may be up in a minute. */
  readonly isWhole: boolean
}

/** What the account's server offers: its own features, and the services among its items. */
export async function findServices(jid: BareJid, disco: Disco): Promise<FoundServices> {
  const domain = domainOf(jid)
  let isWhole = true
  const silent = () => {
    isWhole = false
  }
  const [items, account] = await Promise.all([
    disco.listItems(domain, undefined, { max: MAX_ITEMS }),
    readQuietly(disco, jid, silent),
  ])
  const jids = items.flatMap((item) => (item.node === undefined ? (readBareJid(item.jid) ?? []) : []))
  const infos = await Promise.all(
    [domain, ...new Set(jids)]
      .slice(0, MAX_SERVICES)
      .map(async (service) => [service, await readQuietly(disco, service, silent)] as const),
  )
  const find = (test: (info: DiscoInfo) => boolean) => infos.find(([, info]) => info !== undefined && test(info))
  const pubsub = find((info) => has(info, 'pubsub', 'service'))?.[0]
  const mix = find((info) => has(info, 'conference', 'mix') && info.features.has(NS.MIX_CORE))?.[0]
  const upload = find((info) => info.features.has(NS.UPLOAD))
  const maxSize = Number(upload?.[1]?.forms.get(NS.UPLOAD)?.get('max-file-size')?.[0])
  const services = {
    pep:
      has(account, 'pubsub', 'pep') ||
      infos.some(([service, info]) => service === domain && has(info, 'pubsub', 'pep')),
    // XEP-0376 §4.1 and XEP-0465 §6: the account itself announces them.
    publicSubscriptions: [NS.PAM, NS.PPS].every((feature) => account?.features.has(feature)),
    ...(pubsub !== undefined && { pubsub }),
    ...(mix !== undefined && { mix }),
    hasPam: account?.features.has(NS.MIX_PAM) ?? false,
    ...(upload && { upload: { jid: upload[0], ...(maxSize > 0 && { maxSize }) } }),
  }
  return { services, isWhole }
}

function has(info: DiscoInfo | undefined, category: string, type: string): boolean {
  return info?.identities.some((identity) => identity.category === category && identity.type === type) ?? false
}

async function readQuietly(disco: Disco, jid: string, onSilence: () => void): Promise<DiscoInfo | undefined> {
  try {
    return await disco.readInfo(jid)
  } catch (error) {
    // A service that is down or does not answer is as good as none.
    if (isAppError(error, 'timeout', 'unavailable')) onSilence()
    return undefined
  }
}
