import { existsSync, globSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findDebianSource } from './apt-sources.ts'
import { run } from './run.ts'

interface Fetch {
  readonly names: readonly [string, ...string[]]
  /** The oldest version of the first package that will do. */
  readonly newerThan: string
  /** Ends with the unpacked files under `root`; everything else in it is removed. */
  readonly folder: string
}

/**
 * Downloads packages and what they depend on, and unpacks them into `folder/root`, without root and without touching
 * the machine's own lists or packages. Release files and packages are checked as apt always does.
 */
export async function fetchPackages({ names, newerThan, folder }: Fetch): Promise<void> {
  if (!existsSync('/usr/bin/apt-get')) throw new Error('this machine has no apt-get')
  const release = await findDebianSource()
  const archives = join(folder, 'cache/archives')
  for (const part of ['lists/partial', 'cache/archives/partial', 'root']) {
    await mkdir(join(folder, part), { recursive: true })
  }
  await writeFile(join(folder, 'apt.conf'), aptConf(folder))
  await writeFile(join(folder, 'status'), withoutErlang(await readFile('/var/lib/dpkg/status', 'utf8')))
  await writeFile(join(folder, 'apt.sources'), release.text)
  const apt = (program: string, ...args: string[]) =>
    mustRun(program, ['-c', join(folder, 'apt.conf'), '-t', release.target, ...args])
  await apt('apt-get', '-qq', 'update')
  await checkVersion(names[0], newerThan, await apt('apt-cache', 'policy', names[0]))
  await apt('apt-get', '-qq', '-y', '--no-install-recommends', '--download-only', 'install', ...names)
  for (const archive of globSync(`${archives}/*.deb`)) await mustRun('dpkg-deb', ['-x', archive, join(folder, 'root')])
  for (const part of ['lists', 'cache', 'status']) await rm(join(folder, part), { recursive: true, force: true })
}

/** Read after the machine's own settings (its proxy stays): no hook of its own runs, nothing of it is written, and nothing unsigned is taken. */
function aptConf(folder: string): string {
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
Dir::State "${folder}";
Dir::State::Lists "${folder}/lists";
Dir::State::Status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::SourceList "${folder}/apt.sources";
Dir::Etc::SourceParts "-";
Dir::Etc::PreferencesParts "-";
Dir::Etc::Preferences "-";
Dir::Log "${folder}";
Debug::NoLocking "1";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
`
}

/** The machine's packages less Erlang's: whatever it has of those, all of one version must be in the root. */
function withoutErlang(status: string): string {
  return status
    .split('\n\n')
    .filter((paragraph) => !/^Package: (erlang|ejabberd)/m.test(paragraph))
    .join('\n\n')
}

async function checkVersion(name: string, newerThan: string, policy: string): Promise<void> {
  const candidate = /Candidate: (\S+)/.exec(policy)?.[1] ?? '(none)'
  const compared = await run('dpkg', ['--compare-versions', candidate, 'ge', newerThan])
  if (candidate === '(none)') throw new Error(`this machine's package mirror has no ${name}`)
  if (compared.code !== 0) throw new Error(`this machine's package mirror has only ${name} ${candidate}`)
}

async function mustRun(command: string, args: readonly string[]): Promise<string> {
  const { code, output, errors } = await run(command, args)
  if (code === 0) return output
  const reason = errors.split('\n').find((line) => line.startsWith('E:')) ?? errors.trim().split('\n').at(-1)
  throw new Error(`${command} failed: ${reason?.replace(/^E: */, '') || `status ${code}`}`)
}
