import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blogOfAuthor, fillLargeIndex } from '#test/support/large-index.ts'

/** A million, unless the environment says otherwise, for a quick try. */
export const POSTS = Number(process.env.CANTO_BENCH_POSTS ?? 1_000_000)
export const BLOGS = Array.from({ length: 1_000 }, (_, n) => blogOfAuthor(n + 1))

let made: Promise<string> | undefined

/** An index of a million posts on a thousand blogs, each with its comments node: made once, for all that only read it. */
export function findMillion(): Promise<string> {
  made ??= fill()
  return made
}

async function fill(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'canto-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  // Ended by a signal, a process does not come to its exit by itself.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const path = join(folder, 'index.sqlite')
  await fillMillion(path)
  return path
}

/** The same anew, for what changes it. */
export function fillMillion(path: string): Promise<void> {
  return fillLargeIndex(path, { posts: POSTS, authors: BLOGS.length })
}
