import { once } from 'node:events'
import { type Config, loadConfig } from './config.ts'
import { createContext } from './context.ts'
import { openDataFolder } from './data-folder.ts'
import { failWith } from './fail.ts'
import { createApp } from './http/app.ts'
import { checkPort, explainListenError } from './local/free-port.ts'
import { startLocalServer } from './local/local-server.ts'
import { describeSignIn } from './local/sign-in-hint.ts'
import { trustCertificate } from './local/trust.ts'
import { createLogger, type LogFormat, writeLine } from './log.ts'
import { explainSiteProblem } from './site-problem.ts'
import { step } from './step.ts'

/** How long the site account may take to get online: a slow network is given time, a wrong address not for ever. */
const ONLINE_TIMEOUT_MS = 15_000

// Everything that is made in the data folder is its owner's alone.
process.umask(0o077)

// What goes wrong before the site is ready ends the process, with one sentence that says everything.
let isReady = false
let logFormat: LogFormat = 'text'
const log = createLogger({
  format: () => logFormat,
  write: (line, level) => {
    if (isReady || level !== 'warn') writeLine(line, level)
  },
})
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Before it is ready nothing is lost by leaving at once: the local server stops when we are gone.
  process.on(signal, () => (isReady && !stopping.signal.aborted ? stopping.abort() : process.exit(130)))
}

try {
  await live(loadConfig())
} catch (error) {
  failWith(error)
}

/** The life of the process: everything that opens here is closed in the reverse order, however it ends. */
async function live(config: Config): Promise<void> {
  logFormat = config.logFormat
  await using stack = new AsyncDisposableStack()
  const web = { host: config.host, port: config.port, variable: 'CANTO_PORT' }
  stack.use(await openDataFolder(config.data))
  await checkPort(web)

  const local = config.isLocal ? stack.use(await startLocal(config)) : undefined
  if (local !== undefined) trustCertificate(local.caCertificate)
  const context = stack.use(await step(log, 'Opening the databases', createContext({ config, log, local })))
  const app = stack.adopt(await createApp(context), (opened) => opened.close())
  await app.listen({ host: config.host, port: config.port }).catch((error) => {
    throw explainListenError(error, web)
  })

  await step(log, `Signing in as ${context.site.jid}`, context.site.whenOnline(ONLINE_TIMEOUT_MS)).catch((error) => {
    throw explainSiteProblem(error, config, context.site.jid)
  })
  isReady = true
  log.info(`Canto is ready at ${config.url.href.replace(/\/$/, '')}`)
  const hints = local === undefined ? [] : await describeSignIn(local, process.stdout.isTTY)
  for (const line of hints) log.info(line)
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
  log.info('Stopping')
}

function startLocal(config: Config) {
  return step(log, 'Starting the local XMPP server', startLocalServer(config, log))
}
