import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from './canto.ts'
import type { Config } from './config.ts'
import { checkConfig } from './doctor-config.ts'
import { checkData } from './doctor-data.ts'
import { checkDeep } from './doctor-deep.ts'
import { type Finding, printFinding, problem } from './doctor-finding.ts'
import { checkBlogNode, checkCommentsNode } from './doctor-nodes.ts'
import {
  checkAccount,
  checkBlogs,
  checkClock,
  checkLost,
  checkOutbox,
  checkServices,
  checkWeb,
} from './doctor-server.ts'
import { describeError } from './errors.ts'
import { findManyLost } from './feeds/lose-node.ts'
import { useLocalServer } from './local/use-local-server.ts'
import { silentLogger } from './log.ts'
import { listAuthorRows } from './store/author.ts'
import { openIndex, openState } from './store/database.ts'
import { countCutThreads } from './store/held-bytes.ts'
import { listFeedNodes } from './store/node.ts'
import { countOutbox } from './store/outbox.ts'
import type { XmppSession } from './xmpp/ports.ts'
import { openSession } from './xmpp/session.ts'

/** `doctor`: looks at everything, says what it saw, and exits with 1 if something is broken. */
export async function doctorCommand(call: Call): Promise<void> {
  const { config, say } = call
  await using stack = new AsyncDisposableStack()
  let isIll = false
  const tell = (findings: readonly Finding[]) => {
    for (const finding of findings) {
      isIll ||= finding.level === 'problem'
      say(printFinding(finding))
    }
  }
  const session = await openSiteSession(call, stack)
  tell(checkConfig(config, session.jid))
  tell(await checkData(config))
  tell(await checkWeb(config))
  const account = await checkAccount(session, config)
  tell(account)
  if (session.status === 'online') {
    for (const check of [checkServices, checkClock, checkBlogNode, checkCommentsNode])
      tell(await attempt(() => check(session)))
  }
  tell(await attempt(() => checkWork(config)))
  if (call.isDeep) tell(await attempt(() => compareDeeply(session, config, tell)))
  if (isIll) process.exitCode = 1
}

/** Without presence, so that the running site keeps hearing and nobody's messages come here. */
async function openSiteSession({ config, log }: Call, stack: AsyncDisposableStack): Promise<XmppSession> {
  const local = config.isLocal ? stack.use(await useLocalServer(config, log)) : undefined
  const account = config.xmpp ?? (local && { jid: local.siteAccount, password: local.password, service: local.service })
  if (account === undefined) throw new Error('There is neither an account nor a local server')
  const { jid, password, service } = account
  const session = openSession({
    jid,
    service,
    credentials: () => ({ password }),
    userAgentId: randomUUID(),
    isSite: false,
    log: silentLogger,
  })
  return stack.adopt(session, (opened) => opened.stop())
}

/** Told one by one, for it may take long. */
async function compareDeeply(
  session: XmppSession,
  config: Config,
  tell: (findings: readonly Finding[]) => void,
): Promise<Finding[]> {
  for await (const finding of checkDeep(session, config)) tell([finding])
  return []
}

async function attempt(check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check()
  } catch (error) {
    return [problem('Server', describeError(error), 'Look into the log of the XMPP server, then run this again')]
  }
}

/** What the site does: the blogs that it reads, and what it publishes. */
async function checkWork({ data }: Config): Promise<Finding[]> {
  const [indexPath, statePath] = [join(data, 'index.sqlite'), join(data, 'state.sqlite')]
  if (!existsSync(indexPath) || !existsSync(statePath)) return []
  await using stack = new AsyncDisposableStack()
  const state = stack.adopt(await openState(statePath), (db) => db.destroy())
  const index = stack.adopt(await openIndex(indexPath), (db) => db.destroy())
  const authors = (await listAuthorRows(state)).map(({ jid }) => jid)
  const now = new Date()
  return [
    ...checkBlogs({ nodes: await listFeedNodes(index), authors, cutThreads: await countCutThreads(index) }),
    ...checkLost(await findManyLost(state, now)),
    ...checkOutbox(await countOutbox(state), now),
  ]
}
