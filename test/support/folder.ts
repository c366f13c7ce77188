import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of the test's own, gone with it. */
export interface TestFolder extends AsyncDisposable {
  readonly path: string
  file(name: string): string
  /** Databases that outlive the context of a test, which takes them as options. */
  readonly databases: { readonly indexPath: string; readonly statePath: string }
}

export async function createTestFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'canto-test-'))
  return {
    path,
    file: (name) => join(path, name),
    databases: { indexPath: join(path, 'index.sqlite'), statePath: join(path, 'state.sqlite') },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
