import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDue, isWithinLast } from '#shared/instants.ts'

describe('an instant', () => {
  const now = new Date('2026-06-02T00:00:00Z')
  const at = (ms: number) => new Date(now.getTime() + ms)

  it('that is planned is due once it is there, or further ahead than any is planned', () => {
    for (const [ms, isTime] of [
      [-1, true],
      [0, true],
      [1, false],
      [60_000, false],
      [60_001, true],
      [86_400_000, true],
    ] as const) {
      assert.equal(isDue(at(ms), now, 60_000), isTime, `${ms} ms`)
    }
  })

  it('is of late only if it is neither long past nor still to come', () => {
    for (const [ms, isLate] of [
      [-60_000, false],
      [-59_999, true],
      [0, true],
      [1, false],
    ] as const) {
      assert.equal(isWithinLast(60_000, at(ms), now), isLate, `${ms} ms`)
    }
  })
})
