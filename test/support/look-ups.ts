import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'

/**
 * Asserts that `work` asks DNS itself, and not the machine (`getaddrinfo`), which blocks one of Node's four threads until
 * the name server answers. Returns how many questions it asked.
 */
export async function assertNoThread(work: () => Promise<unknown>): Promise<number> {
  const begun: string[] = []
  const hook = createHook({ init: (_id, type) => void begun.push(type) }).enable()
  try {
    await work()
  } finally {
    hook.disable()
  }
  const questions = begun.filter((type) => type === 'QUERYWRAP').length
  assert.ok(questions > 0, 'c-ares was asked')
  assert.ok(!begun.includes('GETADDRINFOREQWRAP'), 'getaddrinfo was asked')
  return questions
}
