import { loadConfig } from '#server/config.ts'
import { startLocalServer } from '#server/local/local-server.ts'
import { createLogger } from '#server/log.ts'

// A process for the tests to kill; with `once` it stops by itself.
const local = await startLocalServer(loadConfig(), createLogger())
console.log('started')
if (process.argv[2] === 'once') await local.stop()
