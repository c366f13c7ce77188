import type { Element } from 'ltx'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { createElement as el, writeXml } from '#shared/xml.ts'
import { type FakeConnection, type FakeServer, startFakeServer } from './fake-xmpp-server.ts'

/** The targets of the lies. */
export interface Victims {
  /** The author that the server claims for everything. */
  readonly author: BareJid
  /** A channel on another server, and who speaks there by which id. */
  readonly channel?: BareJid
  readonly participant?: string
}

export interface HostileServer extends FakeServer {
  victims: Victims
  /** How many questions it has answered with a lie. */
  readonly lies: number
}

export const FORGED = 'Forged words'
/** So that it can pretend to have made a channel of another server. */
const SERVICES = ['pubsub.ejabberd.test', 'mix.ejabberd.test', 'pubsub.evil.test', 'mix.evil.test']
const FEATURES = [NS.MIX_CORE, NS.MIX_PAM, NS.PAM, NS.PPS, NS.ATTACHMENTS, NS.UPLOAD, NS.PUBSUB]

/**
 * A server that people sign in at and that lies to them: it answers each question itself, whomever it was for, and says
 * that all was done, that its user owns everything, and that the victims said what they never said.
 */
export async function startHostileServer(domain = 'evil.test'): Promise<HostileServer> {
  const state = { victims: { author: `juliet@${domain}` as BareJid } as Victims, lies: 0 }
  const configs = new Map<string, readonly Element[]>()
  const server = await startFakeServer({ domain, onStanza: (stanza, connection) => answer(stanza, connection) })

  function answer(stanza: Element, connection: FakeConnection): void {
    const to = `${connection.user}@${domain}`
    if (stanza.name === 'message') echo(stanza, connection)
    if (stanza.name !== 'iq' || (stanza.attrs.type !== 'get' && stanza.attrs.type !== 'set')) return
    state.lies++
    const question = stanza.getChildElements()[0]
    const about = { to, of: String(stanza.attrs.to ?? to) }
    const told = question === undefined ? [] : lie(question, about, connection)
    const attrs = { xmlns: NS.CLIENT, type: 'result', id: String(stanza.attrs.id), from: about.of, to }
    connection.send(writeXml(el('iq', attrs, ...told)))
  }

  /** A channel says again what was said there: here something else, and as somebody else. */
  function echo(stanza: Element, connection: FakeConnection): void {
    if (stanza.attrs.type !== 'groupchat') return
    state.lies++
    connection.send(writeXml(forgedMessage(String(stanza.attrs.to), stanza.getChildElements())))
  }

  function forgedMessage(channel: string, children: readonly Element[]): Element {
    const kept = children.filter((child) => child.getName() !== 'body')
    const from = `${channel}/${state.victims.participant ?? 'somebody'}`
    const id = String(Date.now() * 1000)
    return el('message', { xmlns: NS.CLIENT, type: 'groupchat', from, id }, el('body', {}, FORGED), ...kept)
  }

  function lie(question: Element, { to, of }: { to: string; of: string }, connection: FakeConnection): Element[] {
    const ns = question.getNS()
    const child = question.getChildElements()[0]
    const node = String(child?.attrs.node ?? question.attrs.node ?? '')
    if (ns === NS.DISCO_INFO) return [describe(of, node, to)]
    if (ns === NS.DISCO_ITEMS) return [listed(node)]
    if (ns === NS.PUBSUB_OWNER) return [owned(question, child, { to, node, key: `${of} ${node}` })]
    if (ns === NS.PUBSUB) return [asked(question, child, { to, node, key: `${of} ${node}` })]
    if (ns === NS.MIX_PAM) return [joined(question, to)]
    if (ns === NS.MIX_CORE && question.getName() === 'create') {
      const channel = state.victims.channel?.split('@')[0] ?? String(question.attrs.channel)
      return [el('create', { xmlns: NS.MIX_CORE, channel })]
    }
    if (ns === NS.MAM) return [archived(question, of, connection)]
    return []
  }

  function describe(of: string, node: string, owner: string): Element {
    const identities = [
      ['pubsub', node === '' ? 'service' : 'leaf'],
      ['pubsub', 'pep'],
      // The server offers no MIX service of its own: room makers are led to another server's.
      ...(of.endsWith(domain) ? [] : [['conference', 'mix']]),
    ].map(([category = '', type = '']) => el('identity', { category, type, name: of }))
    const field = (name: string, ...values: string[]) =>
      el('field', { var: name }, ...values.map((value) => el('value', {}, value)))
    const form = el(
      'x',
      { xmlns: NS.DATA_FORMS, type: 'result' },
      field('FORM_TYPE', NS.PUBSUB_META_DATA),
      field('pubsub#owner', owner),
      field('pubsub#access_model', 'open'),
      field('pubsub#title', FORGED),
    )
    const features = FEATURES.map((feature) => el('feature', { var: feature }))
    return el('query', { xmlns: NS.DISCO_INFO, ...(node && { node }) }, ...identities, ...features, form)
  }

  function listed(node: string): Element {
    const items =
      node === ''
        ? SERVICES.map((jid) => el('item', { jid }))
        : ['forged-1', 'forged-2'].map((name) => el('item', { jid: state.victims.author, name }))
    return el('query', { xmlns: NS.DISCO_ITEMS, ...(node && { node }) }, ...items)
  }

  interface About {
    readonly to: string
    readonly node: string
    readonly key: string
  }

  /** Its user owns everything, the victim is shut out, and each node is configured as it was wished for. */
  function owned(question: Element, child: Element | undefined, { to, node, key }: About): Element {
    const wished = child?.getChild('x')?.getChildren('field')
    if (wished !== undefined && wished.length > 0) configs.set(key, wished)
    const answers = {
      affiliations: [
        el('affiliation', { jid: to, affiliation: 'owner' }),
        el('affiliation', { jid: state.victims.author, affiliation: 'outcast' }),
      ],
      subscriptions: [el('subscription', { jid: state.victims.author, subscription: 'subscribed' })],
      configure: [el('x', { xmlns: NS.DATA_FORMS, type: 'form' }, ...(configs.get(key) ?? []))],
    }
    const name = child?.getName() ?? ''
    const inside = answers[name as keyof typeof answers] ?? []
    return el('pubsub', { xmlns: String(question.getNS()) }, el(name || 'configure', { node }, ...inside))
  }

  function asked(question: Element, child: Element | undefined, { to, node, key }: About): Element {
    const name = child?.getName() ?? 'items'
    const wished = question.getChild('configure')?.getChild('x')?.getChildren('field')
    if (wished !== undefined) configs.set(key, wished)
    const ids = child?.getChildren('item').flatMap(({ attrs }) => (attrs.id ? [String(attrs.id)] : [])) ?? []
    const isQuestion = name === 'items'
    const items = isQuestion ? (ids.length > 0 ? ids : ['forged-1', 'forged-2']).map(forgedItem) : []
    const subscription = name === 'subscribe' ? { subscription: 'subscribed', jid: to } : {}
    const answered = name === 'subscribe' ? 'subscription' : name
    return el('pubsub', { xmlns: NS.PUBSUB }, el(answered, { node, ...subscription }, ...items))
  }

  function forgedItem(id: string): Element {
    const { author } = state.victims
    const entry = el(
      'entry',
      { xmlns: NS.ATOM },
      el('title', { type: 'text' }, FORGED),
      el('id', {}, `tag:evil.test,2026-01-01:${id}`),
      el('published', {}, '2026-01-02T03:04:05Z'),
      el('updated', {}, '2026-01-02T03:04:05Z'),
      el('author', {}, el('uri', {}, `xmpp:${author}`)),
      el('content', { type: 'text' }, FORGED),
    )
    return el('item', { id, publisher: author }, entry)
  }

  function joined(question: Element, to: string): Element {
    const id = state.victims.participant ?? 'somebody'
    const channel = String(question.attrs.channel)
    const name = question.getName().replace('client-', '')
    const inside = el(name, { xmlns: NS.MIX_CORE, id, jid: `${id}#${channel}` })
    return el(question.getName(), { xmlns: NS.MIX_PAM, jid: to }, inside)
  }

  function archived(question: Element, channel: string, connection: FakeConnection): Element {
    const result = el(
      'result',
      { xmlns: NS.MAM, queryid: String(question.attrs.queryid), id: '1' },
      el('forwarded', { xmlns: NS.FORWARD }, forgedMessage(channel, [])),
    )
    connection.send(writeXml(el('message', { xmlns: NS.CLIENT, from: channel }, result)))
    return el('fin', { xmlns: NS.MAM, complete: 'true' })
  }

  return Object.defineProperties(server as HostileServer, {
    victims: {
      get: () => state.victims,
      set: (victims: Victims) => {
        state.victims = victims
      },
    },
    lies: { get: () => state.lies },
  })
}

/** A JID that a test knows to be one. */
export function accountAt(server: FakeServer, user: string): BareJid {
  return readBareJid(`${user}@${server.domain}`) as BareJid
}
