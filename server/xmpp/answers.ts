import { Element } from 'ltx'
import { NS } from '#shared/ns.ts'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const PING = 'urn:xmpp:ping'
const DISCO_INFO = 'http://jabber.org/protocol/disco#info'
const VERSION = 'jabber:iq:version'

/** The kinds of feed that Canto reads (XEP-0472 §3). */
const PROFILES = [NS.SOCIAL_FEED, NS.MICROBLOG, NS.GALLERY]

/** What to answer to a request of others; undefined where `stanza` is none. Echoes nothing of it but its id. */
export function answerRequest(stanza: Element, isSite: boolean): Element | undefined {
  const { type, from, id } = stanza.attrs
  if (stanza.name !== 'iq' || (type !== 'get' && type !== 'set')) return undefined
  const answer = new Element('iq', { type: 'result', ...(from && { to: from }), ...(id && { id }) })
  const request = stanza.getChildElements()[0]
  const result = type === 'get' && request ? findAnswer(request, isSite) : undefined
  if (result === 'empty') return answer
  if (result) return answer.cnode(result).up()
  answer.attrs.type = 'error'
  answer.c('error', { type: 'cancel' }).c('service-unavailable', { xmlns: STANZAS })
  return answer
}

function findAnswer(request: Element, isSite: boolean): Element | 'empty' | undefined {
  if (request.is('ping', PING)) return 'empty'
  // A person's session tells nobody what it is.
  if (!isSite) return undefined
  if (request.is('query', VERSION)) {
    const query = new Element('query', { xmlns: VERSION })
    query.c('name').t('Canto')
    return query
  }
  if (request.is('query', DISCO_INFO) && request.attrs.node === undefined) {
    const query = new Element('query', { xmlns: DISCO_INFO })
    query.c('identity', { category: 'client', type: 'bot', name: 'Canto' })
    for (const feature of [DISCO_INFO, PING, VERSION, ...PROFILES]) query.c('feature', { var: feature })
    return query
  }
  return undefined
}
