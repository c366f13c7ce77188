import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { addressKey } from '#shared/address.ts'
import { domainOf } from '#shared/jid.ts'
import type { Config } from './config.ts'
import { type Finding, fine, note, problem, warning } from './doctor-finding.ts'
import { compareAll, type Difference, isFault } from './feeds/compare.ts'
import { createDomainServices } from './feeds/domain-services.ts'
import { openIndex, openState } from './store/database.ts'
import type { XmppSession } from './xmpp/ports.ts'

const SUBJECT = 'Deep'

/** `doctor --deep`: reads every node that the site knows and says where index or outbox have something else. */
export async function* checkDeep(
  session: Pick<XmppSession, 'jid' | 'pubsub' | 'disco' | 'status'>,
  { data }: Pick<Config, 'data'>,
): AsyncGenerator<Finding> {
  const [indexPath, statePath] = [join(data, 'index.sqlite'), join(data, 'state.sqlite')]
  if (!existsSync(indexPath) || !existsSync(statePath)) return
  await using stack = new AsyncDisposableStack()
  const state = stack.adopt(await openState(statePath), (db) => db.destroy())
  const index = stack.adopt(await openIndex(indexPath), (db) => db.destroy())
  let faults = 0
  const services = createDomainServices({ site: session, clock: () => new Date() })
  const deps = { index, state, services, siteDomain: domainOf(session.jid), site: session }
  for await (const difference of compareAll(deps)) {
    if (isFault(difference)) faults += 1
    yield judge(difference)
  }
  if (faults === 0) yield fine(SUBJECT, 'the index and the outbox have what the nodes have')
}

function judge({ kind, address, words }: Difference): Finding {
  const text = `${addressKey(address)}: ${words}`
  if (kind === 'overwritten' || kind === 'left-out') return note(SUBJECT, text)
  if (kind === 'unread') return warning(SUBJECT, text, 'Canto tries again by itself')
  return problem(SUBJECT, text, 'Run this again in a minute; if it stays, npm run canto -- reindex')
}
