import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Config, loadConfig } from './config.ts'
import { AppError } from './errors.ts'
import { failWith } from './fail.ts'
import { createLogger, type Logger, showControls } from './log.ts'

/** What a command of the operator gets. */
export interface Call {
  readonly config: Config
  readonly log: Logger
  /** What follows the command's own words. */
  readonly args: readonly string[]
  readonly password: string | undefined
  /** `doctor --deep` */
  readonly isDeep: boolean
  /** Prints a line of the answer. */
  readonly say: (line: string) => void
}

interface Command {
  /** What to type after the command's name. */
  readonly args: string
  readonly does: string
  readonly run: (call: Call) => Promise<void>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'user add': {
    args: 'JID [--password PASSWORD]',
    does: 'makes an account on the local server; its blog appears on the site',
    run: async (call) => (await import('./canto-users.ts')).addUser(call),
  },
  'user password': {
    args: 'JID [--password PASSWORD]',
    does: 'changes the password of an account on the local server',
    run: async (call) => (await import('./canto-users.ts')).changePassword(call),
  },
  'user remove': {
    args: 'JID',
    does: 'removes an account of the local server with its blog; what it wrote in communities stays',
    run: async (call) => (await import('./canto-users.ts')).removeUser(call),
  },
  'user list': {
    args: '',
    does: 'lists the accounts of the local server and the site’s authors',
    run: async (call) => (await import('./canto-users.ts')).listUsers(call),
  },
  reindex: {
    args: '',
    does: 'has the index thrown away and read anew from the network',
    run: async (call) => (await import('./canto-site.ts')).reindex(call),
  },
  follow: {
    args: 'ADDRESS',
    does: 'follows a blog or community elsewhere (an address, or xmpp:SERVICE?;node=NODE): its public posts get pages here',
    run: async (call) => (await import('./canto-site.ts')).follow(call),
  },
  unfollow: {
    args: 'ADDRESS',
    does: 'ends that; what people here follow stays',
    run: async (call) => (await import('./canto-site.ts')).unfollow(call),
  },
  backup: {
    args: 'FILE',
    does: 'writes one .tar.gz with everything in the data folder that cannot be fetched again',
    run: async (call) => (await import('./backup.ts')).backupCommand(call),
  },
  restore: {
    args: 'FILE',
    does: 'fills an empty data folder (CANTO_DATA) from a backup',
    run: async (call) => (await import('./backup-restore.ts')).restoreCommand(call),
  },
  relink: {
    args: '',
    does: 'writes the web address into the posts again, after CANTO_URL changed',
    run: async (call) => (await import('./canto-site.ts')).relink(call),
  },
  doctor: {
    args: '[--deep]',
    does: 'checks account, services, nodes, clock and database, and says how to mend what is wrong; --deep also compares every node with the index and the outbox',
    run: async (call) => (await import('./doctor.ts')).doctorCommand(call),
  },
}

// As `main.ts` does: commands make files in the data folder too.
process.umask(0o077)

try {
  await main(process.argv.slice(2))
} catch (error) {
  failWith(error)
}

async function main(words: readonly string[]): Promise<void> {
  const { positionals, values } = readWords(words)
  const name = Object.keys(COMMANDS).find((known) => positionals.slice(0, known.split(' ').length).join(' ') === known)
  const command = name === undefined ? undefined : COMMANDS[name]
  if (name === undefined || command === undefined || values.help) return printUsage(positionals)
  const rest = positionals.slice(name.split(' ').length)
  // npm runs its scripts in the package's folder: a file is meant from where the operator stands.
  const args = command.args === 'FILE' ? rest.map((file) => resolve(process.env.INIT_CWD ?? '', file)) : rest
  const wanted = /^[A-Z]/.test(command.args) ? 1 : 0
  if (args.length !== wanted)
    throw new AppError('bad-request', `Usage: npm run canto -- ${name} ${command.args}`.trimEnd())
  const say = (line: string) => void process.stdout.write(`${showControls(line)}\n`)
  await command.run({
    config: loadConfig(),
    log: createLogger({ write: (line) => void process.stderr.write(`${line}\n`) }),
    args,
    password: values.password,
    isDeep: values.deep === true,
    say,
  })
}

function readWords(words: readonly string[]) {
  const options = {
    password: { type: 'string' },
    deep: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (cause) {
    throw new AppError('bad-request', (cause as Error).message, { cause })
  }
}

function printUsage(words: readonly string[]): void {
  const lines = Object.entries(COMMANDS).map(([name, { args, does }]) => `  ${`${name} ${args}`.padEnd(42)} ${does}`)
  const usage = `npm run canto -- COMMAND, also while the server runs:\n${lines.join('\n')}`
  if (words.length > 0) throw new AppError('bad-request', `There is no command "${words.join(' ')}".\n${usage}`)
  process.stdout.write(`${usage}\n`)
}
