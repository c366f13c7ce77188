import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLogger, type LogFormat } from '#server/log.ts'

describe('the log', () => {
  const lines: string[] = []
  let format: LogFormat = 'text'
  const log = createLogger({ format: () => format, write: (line) => lines.push(line) })
  const item = 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=hello'

  it('is a line for people, with the address of what it is about', () => {
    format = 'text'
    log.warn({ item, err: new Error('too deep') }, 'An item was rejected')
    assert.equal(lines.pop(), `warn: An item was rejected item=${item} err="too deep"`)
    log.info('Canto is ready')
    assert.equal(lines.pop(), 'Canto is ready')
  })

  it('has no character that moves the cursor of a terminal, colours it, or hides what comes after', () => {
    const words = 'a\u001b[2J\u0007\u007f\u009b31m\u2028\u202eb\u2066\nc\r\nd\te'
    const shown = 'a\\u001b[2J\\u0007\\u007f\\u009b31m\\u2028\\u202eb\\u2066'
    format = 'text'
    log.warn({ item: words, err: new Error(words), more: { words } }, words)
    const line = lines.pop() ?? ''
    assert.ok(line.startsWith(`warn: ${shown} ⏎ c ⏎ d\\u0009e item=${shown}`), line)
    assert.doesNotMatch(line, /[\p{Cc}\u2028\u202e\u2066]/u)
    format = 'json'
    log.warn({ item: words }, words)
    const json = lines.pop() ?? ''
    assert.doesNotMatch(json, /[\p{Cc}\u2028\u202e\u2066]/u)
    assert.deepEqual([JSON.parse(json).msg, JSON.parse(json).item], [words, words])
  })

  it('is one JSON object a line for programs, whatever the network put into it', () => {
    format = 'json'
    log.warn({ item: `${item}\n"}`, err: new Error('too\ndeep') }, 'An item was rejected')
    const line = lines.pop() ?? ''
    assert.doesNotMatch(line, /\n/)
    const { time, level, msg, item: found, err } = JSON.parse(line)
    assert.ok(!Number.isNaN(Date.parse(time)))
    assert.deepEqual([level, msg, found, err.message], ['warn', 'An item was rejected', `${item}\n"}`, 'too\ndeep'])
  })
})
