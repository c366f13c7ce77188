import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Code that makes part of a statement. */
const BUILDS =
  /\.(where|whereRef|select\w*|insertInto|updateTable|deleteFrom|orderBy|set|limit|offset|\w*[jJ]oin)\(|\bsql(<|`)/

const STORE = new URL('../../server/store/', import.meta.url)

/**
 * Watches which parts of the store run from now on: to be called before any of it is imported. Returns the parts that
 * make a statement, or some of one, and never ran.
 */
export async function watchStore(): Promise<() => Promise<string[]>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
  return async () => {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    session.disconnect()
    return result
      .filter(({ url }) => url.startsWith(STORE.href))
      .flatMap(({ url, functions }) => {
        // Types are replaced by spaces, so that places are those of the source.
        const source = readFileSync(fileURLToPath(url), 'utf8')
        return functions
          .flatMap(({ ranges }) => ranges)
          .filter(({ count }) => count === 0)
          .map(({ startOffset, endOffset }) => ({ at: startOffset, text: source.slice(startOffset, endOffset) }))
          .filter(({ text }) => BUILDS.test(text))
          .map(({ at, text }) => `${nameOf(url)}:${source.slice(0, at).split('\n').length} ${text.slice(0, 80)}`)
      })
  }
}

function nameOf(url: string): string {
  return relative(fileURLToPath(STORE), fileURLToPath(url))
}
