import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryBudget, type Holder } from '#server/xmpp/memory-budget.ts'

describe('a budget of memory', () => {
  it('is given back by the one that holds the most, and only once there is too little', () => {
    const budget = createMemoryBudget(100)
    const gaveUp: string[] = []
    const holder = (name: string): Holder => ({ giveUp: () => void gaveUp.push(name) })
    const [small, large, last] = [holder('small'), holder('large'), holder('last')]
    budget.hold(small, 10)
    budget.hold(large, 50)
    budget.hold(large, 60)
    budget.hold(last, 30)
    assert.equal(budget.total, 100)
    assert.deepEqual(gaveUp, [])
    budget.hold(small, 11)
    assert.deepEqual(gaveUp, ['large'])
    assert.equal(budget.total, 41)
    budget.hold(small, 0)
    budget.hold(last, 101)
    assert.deepEqual(gaveUp, ['large', 'last'])
    assert.equal(budget.total, 0)
  })
})
