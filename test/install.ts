import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findDebianSource } from '#server/local/apt-sources.ts'
import { run } from '#server/local/run.ts'

/** Debian packages that the tests use; those marked so come from its backports. */
const PACKAGES = [
  { name: 'chromium' },
  { name: 'prosody', oldest: '13', isBackport: true },
  { name: 'prosody-modules', oldest: '0.0~hg2025', isBackport: true },
  { name: 'lua-dbi-sqlite3' },
  { name: 'python3-slixmpp' },
  { name: 'libervia-backend' },
  { name: 'libervia-cli' },
  // Arabic, for the contact sheet.
  { name: 'fonts-noto-core' },
] as const

type Package = { readonly name: string; readonly oldest?: string; readonly isBackport?: boolean }

/** Installs what is missing for the tests, with apt as root; elsewhere throws what to install. */
export async function installPackages(): Promise<void> {
  const missing: Package[] = []
  for (const wanted of PACKAGES) if (!(await isInstalled(wanted))) missing.push(wanted)
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(' ')
  if (process.getuid?.() !== 0) {
    throw new Error(`The tests need Debian packages: run this once as root, or install ${names} (prosody 13 or newer)`)
  }
  console.log(`Installing ${names}`)
  const folder = await mkdtemp(join(tmpdir(), 'canto-apt-'))
  try {
    await install(missing, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** With lists of its own that include backports, so that the machine's sources stay as they are. */
async function install(packages: readonly Package[], folder: string): Promise<void> {
  const { text, target } = await findDebianSource()
  const list = join(folder, 'apt.sources')
  await mkdir(join(folder, 'lists/partial'), { recursive: true })
  await writeFile(list, text)
  const places = [`Dir::Etc::SourceList=${list}`, 'Dir::Etc::SourceParts=-', `Dir::State::Lists=${folder}/lists`]
  // The folder is root's alone, so apt downloads as root, too; it checks signatures all the same.
  const options = [...places, 'APT::Sandbox::User=root']
  const names = packages.map(({ name, isBackport }) => (isBackport ? `${name}/${target}` : name))
  const apt = (...args: string[]) =>
    mustRun('apt-get', [...options.flatMap((option) => ['-o', option]), '-qq', ...args])
  // A package's own service must not start here, least of all a second Prosody on the standard ports.
  const policy = '/usr/sbin/policy-rc.d'
  const kept = await copyFile(policy, join(folder, 'policy')).then(
    () => true,
    () => false,
  )
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await apt('update')
    await apt('-y', '--no-install-recommends', 'install', ...names)
  } finally {
    if (kept) await copyFile(join(folder, 'policy'), policy)
    else await rm(policy)
  }
}

async function isInstalled({ name, oldest }: Package): Promise<boolean> {
  const { output } = await run('dpkg-query', ['-s', name]).catch(() => ({ output: '' }))
  if (!/^Status: .* installed$/m.test(output)) return false
  const version = /^Version: (.*)$/m.exec(output)?.[1] ?? ''
  return oldest === undefined || (await run('dpkg', ['--compare-versions', version, 'ge', oldest])).code === 0
}

async function mustRun(command: string, args: readonly string[]): Promise<void> {
  const { code, output, errors } = await run(command, args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (code !== 0) throw new Error(`${command} ${args.at(-1)} failed:\n${output}${errors}`)
}
