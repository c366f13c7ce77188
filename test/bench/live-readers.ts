import { get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

/** In a thread of its own: opens many live streams of one page and says when all are open, and, when asked, how many events came. */
export interface LiveReaders {
  readonly port: number
  readonly path: string
  readonly count: number
}

export type LiveReadersMessage = 'open' | { readonly problem: string } | { readonly events: number }

/** Streams that one network may hold. */
const OF_NETWORK = 100

const { port, path, count } = workerData as LiveReaders
let [open, events] = [0, 0]
const tell = (message: LiveReadersMessage) => parentPort?.postMessage(message)
let problem: string | undefined
function fail(words: string): void {
  problem = words
  tell({ problem })
}

for (let number = 0; number < count; number++) {
  const headers = { host: 'blog.example', 'x-forwarded-for': `192.0.2.${1 + Math.floor(number / OF_NETWORK)}` }
  get({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
    if (answer.statusCode !== 200) return fail(`${path} was answered with ${answer.statusCode}`)
    answer.on('data', (chunk: Buffer) => {
      events += chunk.toString().split('event: state').length - 1
    })
    answer.on('end', () => fail('A live stream ended'))
    answer.on('error', () => {})
    open += 1
    if (open === count) tell('open')
  }).on('error', ({ message }) => fail(message))
}

parentPort?.on('message', () => tell(problem === undefined ? { events } : { problem }))
