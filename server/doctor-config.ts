import { type BareJid, domainOf } from '#shared/jid.ts'
import { type Config, mayBlog } from './config.ts'
import { isLoopbackHost } from './config-values.ts'
import { type Finding, fine, warning } from './doctor-finding.ts'

/** What the configuration says that will surprise its operator, though it is not wrong. */
export function checkConfig(config: Config, site: BareJid): Finding[] {
  const found = [...checkAddress(config), ...checkPeople(config, site)]
  return found.length > 0 ? found : [fine('Configuration', 'nothing to say against it')]
}

function checkAddress({ url, isUrlSet, isLocal, proxies }: Config): Finding[] {
  const subject = 'Address'
  if (!isUrlSet) {
    const words = `posts carry no web address while CANTO_URL is not set, so other sites do not link to them`
    return isLocal
      ? [fine(subject, words)]
      : [warning(subject, words, 'Set CANTO_URL, then run npm run canto -- relink')]
  }
  if (isLoopbackHost(url.hostname)) return [fine(subject, `${url.href} is for this machine only`)]
  const found: Finding[] = []
  if (url.protocol === 'http:') {
    found.push(
      warning(
        subject,
        `${url.href} is not encrypted: passwords can be read on the way`,
        'Set up TLS (README, "For real")',
      ),
    )
  }
  if (proxies.length === 0) {
    const words =
      'no reverse proxy is believed: all visitors seem to come from one address, and share its sign-in limit'
    found.push(warning(subject, words, 'Set CANTO_PROXY to the address of your proxy, such as 127.0.0.1'))
  }
  return found
}

function checkPeople(config: Config, site: BareJid): Finding[] {
  const found: Finding[] = []
  if (config.bloggers.includes(site)) {
    const words = `${site} is the site's account and a blogger: Canto is always online as it, and may take its chats`
    const mend = 'Make an account for the site alone, name it in CANTO_XMPP_JID, and the person in CANTO_BLOGGERS'
    found.push(warning('Account', words, mend))
  }
  if (config.operators.length === 0) {
    found.push(warning('Operators', 'nobody runs the site', 'Set CANTO_OPERATORS to your own address'))
  }
  const { signinDomains } = config
  const strangers = config.bloggers.filter((jid) => signinDomains !== '*' && !signinDomains.includes(domainOf(jid)))
  if (strangers.length > 0) {
    const words = `${strangers.join(', ')} may publish, but readers of the same servers may not sign in to comment`
    found.push(warning('Sign-in', words, 'Add their domains to CANTO_SIGNIN_DOMAINS, or set it to *'))
  }
  const outside = config.operators.filter((jid) => !mayBlog(config, jid))
  if (outside.length > 0) found.push(fine('Operators', `${outside.join(', ')} may run the site but not publish on it`))
  return found
}
