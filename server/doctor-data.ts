import { existsSync } from 'node:fs'
import { readFile, stat, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import Database from 'better-sqlite3'
import type { Config } from './config.ts'
import { type Finding, fine, note, problem, warning } from './doctor-finding.ts'
import { describeError } from './errors.ts'
import { findUnknownMigration, MIGRATIONS } from './store/migrate.ts'

const LITTLE_SPACE = 500_000_000
const NAMES = {
  'state.sqlite': 'state',
  'index.sqlite': 'index',
  'local/ejabberd.sqlite': 'local server’s store',
} as const

/** The databases, the secret and the disk. */
export async function checkData({ data }: Config): Promise<Finding[]> {
  if (!existsSync(data)) return [fine('Database', `there is none yet: npm start makes the folder ${data}`)]
  const found: Finding[] = []
  for (const [file, name] of Object.entries(NAMES)) {
    if (existsSync(join(data, file))) found.push(checkDatabase(join(data, file), name))
  }
  if (found.length === 0) found.push(fine('Database', `there is none in ${data} yet: npm start makes it`))
  const { bavail, bsize } = await statfs(data)
  const free = bavail * bsize
  if (free < LITTLE_SPACE) {
    const words = `only ${Math.round(free / 1e6)} MB are free on the disk of ${data}`
    found.push(warning('Disk', words, 'Make room: a full disk stops publishing'))
  }
  return [...found, ...(await checkModes(data))]
}

const SECRET_SETTING = /^CANTO_[A-Z_]*(?:PASSWORD|TOKEN)$/
const SECRETS = ['secret', 'local/accounts.json', 'local/identity.pem', 'local/first-password']

/** Checks whether other users of the machine may read files meant for their owner alone. */
async function checkModes(data: string): Promise<Finding[]> {
  const open = async (path: string) => {
    const found = await stat(path).catch(() => undefined)
    return found !== undefined && (found.mode & 0o077) !== 0
  }
  const others = (path: string) => `other users of this machine may read ${path}`
  const found: Finding[] = []
  const isOpen = await open(data)
  if (isOpen) found.push(problem('Secrets', `other users of this machine may look into ${data}`, `chmod 700 ${data}`))
  const secrets = [
    ...SECRETS.map((file) => join(data, file)),
    ...((await holdsSecret('.env')) ? [resolve('.env')] : []),
  ]
  for (const path of secrets) {
    if (await open(path)) found.push(problem('Secrets', others(path), `chmod 600 ${path}`))
  }
  for (const path of Object.keys(NAMES).map((file) => join(data, file))) {
    if (!(await open(path))) continue
    // Older versions made them so, in a folder that nobody else may enter.
    found.push(
      isOpen
        ? problem('Secrets', others(path), `chmod 600 ${path}`)
        : note('Secrets', `${path} is closed only by its folder: chmod 600 closes it too`),
    )
  }
  return found
}

/** Whether a file of settings has a password or a token in it, or cannot be read to see. */
async function holdsSecret(path: string): Promise<boolean> {
  if (!existsSync(path)) return false
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return true
  // As Node reads it at the start: with `export`, spaces and quotes.
  return Object.entries(parseEnv(text)).some(([name, value]) => SECRET_SETTING.test(name.trim()) && value !== '')
}

function checkDatabase(path: string, name: string): Finding {
  const mend = name === 'index' ? 'Run npm run canto -- reindex' : 'Restore your last backup (npm run canto -- restore)'
  try {
    const database = new Database(path, { timeout: 10_000 })
    const answer = database.pragma('quick_check(1)', { simple: true })
    const newer = name === 'state' || name === 'index' ? findNewer(database, MIGRATIONS[name]) : undefined
    database.close()
    if (newer !== undefined) return newerThanUs(path, name, newer)
    const words = String(answer).split('\n').at(-1)
    return answer === 'ok'
      ? fine('Database', `the ${name} is sound`)
      : problem('Database', `the ${name} is damaged: ${words}`, mend)
  } catch (error) {
    return problem('Database', `the ${name} cannot be read: ${describeError(error)}`, mend)
  }
}

function findNewer(database: Database.Database, migrations: URL): string | undefined {
  const table = database.prepare("SELECT name FROM sqlite_master WHERE name = 'kysely_migration'").get()
  if (table === undefined) return undefined
  const rows = database.prepare('SELECT name FROM kysely_migration').all() as { name: string }[]
  return findUnknownMigration(
    rows.map(({ name }) => name),
    migrations,
  )
}

function newerThanUs(path: string, name: string, migration: string): Finding {
  const words = `the ${name} was made by a newer Canto: its migration ${migration} is not known here`
  if (name === 'index') return warning('Database', words, 'The next start puts it aside and reads everything anew')
  return problem(
    'Database',
    words,
    `Start that version again, or put the copy ${path}.before-${migration}-… in its place`,
  )
}
