import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clampDate, readDate, writeDate } from '#shared/dates.ts'

describe('a date', () => {
  const dates: readonly [text: string, date: string][] = [
    ['2026-03-14T09:26:53Z', '2026-03-14T09:26:53Z'],
    ['2026-03-14T09:26:53+02:00', '2026-03-14T07:26:53Z'],
    ['2026-03-14T09:26:53-0530', '2026-03-14T14:56:53Z'],
    ['2026-03-14T09:26:53.5Z', '2026-03-14T09:26:53.500Z'],
    ['2026-03-14T09:26:53.123456789Z', '2026-03-14T09:26:53.123Z'],
    ['2026-03-14t09:26:53z', '2026-03-14T09:26:53Z'],
    ['2026-03-14 09:26:53', '2026-03-14T09:26:53Z'],
    ['2026-03-14T09:26:53', '2026-03-14T09:26:53Z'],
    ['2026-03-14T09:26', '2026-03-14T09:26:00Z'],
    ['2026-03-14', '2026-03-14T00:00:00Z'],
    ['  2026-03-14T09:26:53Z\n', '2026-03-14T09:26:53Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['0001-01-01T00:00:00+14:00', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
    ['9999-12-31T23:59:59-12:00', '9999-12-31T23:59:59.999Z'],
  ]
  for (const [text, date] of dates) {
    it(`${JSON.stringify(text)} is ${date}`, () => {
      const read = readDate(text)
      assert.ok(read !== undefined)
      assert.equal(writeDate(read), date)
      assert.match(read.toISOString(), /^\d{4}-/)
    })
  }

  const wrong = [
    ...[
      '',
      'yesterday',
      '2026',
      '2026-13-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2025-02-29',
      '1900-02-29',
      '10000-01-01',
    ],
    ...['-0001-01-01T00:00:00Z', '2026-03-14T25:00:00Z', '2026-03-14T09:61:00Z', 'Sat, 14 Mar 2026 09:26:53 GMT'],
    ...['2026-03-14T09:26:53Zx', ' '.repeat(1_000_000), '9'.repeat(1_000_000)],
  ]
  for (const text of wrong) {
    it(`is not ${JSON.stringify(text.slice(0, 30))}`, () => assert.equal(readDate(text), undefined))
  }

  it('that is still to come, or missing, counts as first seen', () => {
    const seen = new Date('2026-01-01T00:00:00Z')
    const past = new Date('2020-01-01T00:00:00Z')
    assert.equal(clampDate(past, seen), past)
    assert.equal(clampDate(new Date('9999-01-01T00:00:00Z'), seen), seen)
    assert.equal(clampDate(undefined, seen), seen)
  })
})
