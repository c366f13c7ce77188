import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLanes, type Lanes, type Rank, type TaskOutcome } from '#server/feeds/lanes.ts'
import { until } from '#test/support/until.ts'

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve))

interface Bench {
  readonly lanes: Lanes
  /** Keys in the order in which they began. */
  readonly begun: string[]
  add(lane: string, key: string, rank?: Rank): void
  /** Ends the task that runs under this key. */
  end(key: string, outcome?: TaskOutcome): Promise<void>
}

/** Backoff in thousandths of a second, so that a test can wait for it. */
function createBench(backoff: (failures: number) => number = () => 3600): Bench {
  const lanes = createLanes({ backoff, clock: () => new Date() })
  const begun: string[] = []
  const gates = new Map<string, (outcome: TaskOutcome) => void>()
  return {
    lanes,
    begun,
    add(lane, key, rank = 'asked') {
      const run = () => {
        begun.push(key)
        return new Promise<TaskOutcome>((resolve) => gates.set(key, resolve))
      }
      lanes.add(lane, { key, rank, run })
    },
    async end(key, outcome = 'done') {
      gates.get(key)?.(outcome)
      await nextTurn()
    },
  }
}

describe('lanes', () => {
  it('run few tasks at once, in order, each key once, and one that runs once more', async () => {
    const { add, end, begun, lanes } = createBench()
    for (const key of ['a', 'b', 'c', 'c', 'd', 'e']) add('x', key)
    assert.deepEqual(begun, ['a'], 'a server that has not answered yet is asked one thing')
    add('x', 'a')
    await end('a')
    assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
    for (const key of ['b', 'c', 'd', 'e', 'a']) await end(key)
    await lanes.idle()
    assert.deepEqual(begun, ['a', 'b', 'c', 'd', 'e', 'a'])
  })

  it('leave a server that does not answer alone, while the others go on', async () => {
    const { add, end, begun, lanes } = createBench()
    for (let i = 0; i < 50; i++) add('dead', `dead-${i}`)
    for (let i = 0; i < 5; i++) add('alive', `alive-${i}`)
    await end('dead-0', 'unreachable')
    for (let i = 0; i < 5; i++) await end(`alive-${i}`)
    await lanes.idle()
    assert.deepEqual(begun, ['dead-0', 'alive-0', 'alive-1', 'alive-2', 'alive-3', 'alive-4'])
    const [dead] = lanes.list()
    assert.equal(dead?.waiting, 50)
    assert.ok(dead?.downUntil !== undefined && dead.downUntil > new Date())
  })

  it('try one thing after the backoff, longer each time, and go on as soon as the server is heard', async () => {
    const asked: number[] = []
    const { add, end, begun, lanes } = createBench((failures) => {
      asked.push(failures)
      return failures < 3 ? 0.01 : 3600
    })
    for (const key of ['a', 'b', 'c']) add('x', key)
    for (let i = 1; i < 3; i++) {
      await end('a', 'unreachable')
      await until(() => begun.length === i + 1)
    }
    await end('a', 'unreachable')
    assert.deepEqual(asked, [1, 2, 3])
    assert.deepEqual(begun, ['a', 'a', 'a'], 'only one is tried, always the same')
    lanes.answered('x')
    assert.deepEqual(begun.slice(3), ['a', 'b', 'c'])
    for (const key of ['a', 'b', 'c']) await end(key)
    await lanes.idle()
  })

  it('take what is urgent first, and what is slow one at a time between', async () => {
    const { add, end, begun } = createBench()
    add('x', 'first')
    add('x', 'old', 'later')
    add('x', 'page', 'slow')
    add('x', 'page 2', 'slow')
    add('x', 'thread', 'thread')
    add('x', 'feed', 'feed')
    await end('first')
    assert.deepEqual(begun, ['first', 'feed', 'thread', 'page'])
    await end('feed')
    assert.equal(begun.length, 4, 'a second slow one waits though there is room')
    add('x', 'urgent')
    await end('page', 'again')
    assert.deepEqual(begun.slice(4), ['urgent', 'page'])
    await end('page')
    assert.equal(begun.at(-1), 'page 2')
    add('x', 'old', 'feed')
    await end('page 2')
    assert.equal(begun.at(-1), 'old')
  })

  it('begin nothing while paused, and try again what failed meanwhile', async () => {
    const { add, end, begun, lanes } = createBench()
    add('x', 'a')
    lanes.pause()
    add('y', 'b')
    await end('a', 'unreachable')
    assert.deepEqual(begun, ['a'])
    assert.equal(lanes.count(), 0)
    lanes.resume({ isFresh: false })
    assert.deepEqual(begun, ['a', 'a', 'b'])
    assert.deepEqual(
      lanes.list().map(({ downUntil }) => downUntil),
      [undefined, undefined],
    )
  })

  it('keep room for servers that answer, however many do not', async () => {
    const { add, end, begun } = createBench()
    add('known', 'known')
    await end('known')
    add('known', 'known')
    for (let i = 0; i < 100; i++) add(`silent-${i}`, `silent-${i}`)
    for (const key of ['one', 'two']) add('known', key)
    assert.ok(begun.includes('one') && begun.includes('two'))
    assert.ok(begun.filter((key) => key.startsWith('silent')).length < 50)
  })
})
