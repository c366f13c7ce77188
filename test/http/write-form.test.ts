import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readTags } from '#server/http/write-form.ts'

describe('tags as people type them', () => {
  it('are separated by the commas of any keyboard, or by spaces where there are none', () => {
    assert.deepEqual(readTags('gardens, red wine'), ['gardens', 'red wine'])
    assert.deepEqual(readTags('حدائق، رمان'), ['حدائق', 'رمان'])
    assert.deepEqual(readTags('庭、花，茶'), ['庭', '花', '茶'])
    assert.deepEqual(readTags('#gardens #wine'), ['gardens', 'wine'])
  })

  it('are each there once, whatever their case', () => {
    assert.deepEqual(readTags('Wine, wine, WINE, '), ['Wine'])
  })
})
