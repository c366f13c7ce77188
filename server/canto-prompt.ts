import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { AppError } from './errors.ts'

/** The `--password` option, else asked for twice on a terminal, else the first line of standard input. */
export async function readPassword(option: string | undefined): Promise<string> {
  const password = option ?? (process.stdin.isTTY ? await askTwice() : (await text(process.stdin)).split('\n')[0])
  if (password !== undefined && password !== '') return password
  const words = 'There is no password: give one with --password, type it on a terminal, or send it on standard input'
  throw new AppError('bad-request', words)
}

/** Yes or no on a terminal; without one nobody can be asked, and what was typed is meant. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  lines.setPrompt(`${question} [y/N] `)
  lines.prompt()
  const [answer] = await once(lines, 'line')
  lines.close()
  return /^y(es)?$/i.test(String(answer).trim())
}

async function askTwice(): Promise<string> {
  const first = await askHidden('Password: ')
  if ((await askHidden('Again: ')) !== first) throw new AppError('bad-request', 'The two passwords differ')
  return first
}

/** Reads a line from the terminal without showing it. */
async function askHidden(question: string): Promise<string> {
  process.stderr.write(question)
  process.stdin.setRawMode(true)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let typed = ''
  const onData = (chunk: Buffer) => {
    for (const letter of chunk.toString()) {
      if (letter === '\r' || letter === '\n') return resolve(typed)
      if (letter === '\u0003') return reject(new AppError('bad-request', 'Nothing was changed'))
      typed = letter === '\u007f' || letter === '\b' ? typed.slice(0, -1) : typed + letter
    }
  }
  process.stdin.on('data', onData).resume()
  try {
    return await promise
  } finally {
    process.stdin.off('data', onData).setRawMode(false).pause()
    process.stderr.write('\n')
  }
}
