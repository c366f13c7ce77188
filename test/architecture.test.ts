import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findViolations } from './support/architecture.ts'
import { readImports } from './support/imports.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const ROOMS = ['server', 'shared', 'web', 'migrations', 'test']

function readSources(): Map<string, string> {
  const files = new Map<string, string>()
  for (const room of ROOMS) {
    for (const name of readdirSync(`${ROOT}${room}`, { recursive: true, encoding: 'utf8' })) {
      const path = `${room}/${name.replaceAll('\\', '/')}`
      if (path.endsWith('.ts')) files.set(path, readFileSync(`${ROOT}${path}`, 'utf8'))
    }
  }
  return files
}

describe('the rooms of the house', () => {
  it('import only in the directions that the design allows', () => {
    const files = readSources()
    assert.ok(files.size > 20, 'the sources were found')
    assert.deepEqual(findViolations(files), [])
  })

  const planted: readonly [file: string, source: string][] = [
    ['server/xmpp/a.ts', "import { listPosts } from '#server/store/post.ts'"],
    ['server/xmpp/a.ts', "import type { Outbox } from '../feeds/outbox.ts'"],
    ['server/store/a.ts', "import { ingest } from '#server/feeds/ingest.ts'"],
    ['server/store/a.ts', "import type { Pubsub } from '#server/xmpp/ports.ts'"],
    ['server/feeds/a.ts', "import { Pubsub } from '#server/xmpp/ports.ts'"],
    ['server/feeds/a.ts', "import { type Pubsub, openSession } from '../xmpp/ports.ts'"],
    ['server/feeds/a.ts', "import type { Session } from '#server/xmpp/session.ts'"],
    ['server/feeds/a.ts', "import { createPeople } from '#server/people/people.ts'"],
    ['server/people/a.ts', "import { openSession } from '#server/xmpp/session.ts'"],
    ['server/people/a.ts', "export { ingest } from '#server/feeds/ingest.ts'"],
    ['server/http/a.ts', "import type { Pubsub } from '#server/xmpp/ports.ts'"],
    ['server/http/routes/a.ts', "import {\n  findPost,\n  openSession,\n} from '../../xmpp/session.ts'"],
    ['server/http/a.ts', "import { findPost, saveEntry as put } from '#server/store/entry.ts'"],
    ['server/http/a.ts', "import { createContext } from '#server/context.ts'"],
    ['server/http/a.ts', "const { openSession } = await import('#server/xmpp/session.ts')"],
    ['server/http/a.ts', 'const room = await import(name)'],
    ['server/http/a.ts', 'const url = process.env.CANTO_URL'],
    ['server/local/a.ts', "import { openIndex } from '#server/store/database.ts'"],
    ['server/local/a.ts', "import '#server/xmpp/session.ts'"],
    ['shared/a.ts', "import { readFileSync } from 'node:fs'"],
    ['shared/profiles/a.ts', "import type { Config } from '#server/config.ts'"],
    ['shared/a.ts', "import { client } from '@xmpp/client'"],
    ['shared/a.ts', "import { render } from '../web/render.ts'"],
    ['web/views.ts', "import { readEntry } from '#shared/entry.ts'"],
    ['web/render.ts', "import type { PostRow } from '#server/store/post.ts'"],
    ['web/scripts/a.ts', "import { readFile } from 'node:fs/promises'"],
    ['web/scripts/a.ts', "import { Eta } from 'eta'"],
    ['migrations/index/0001.ts', "import { NS } from '#shared/ns.ts'"],
    ['migrations/state/0001.ts', "import type { Schema } from '#server/store/schema.ts'"],
  ]
  for (const [file, source] of planted) {
    it(`may not have in ${file}: ${source.replace(/\s+/g, ' ')}`, () => {
      assert.equal(findViolations(new Map([[file, source]])).length, 1)
    })
  }

  it('may have what the design allows', () => {
    const allowed = new Map([
      ['server/main.ts', "import { openSession } from './xmpp/session.ts'\nprocess.env.CANTO_URL"],
      ['server/feeds/a.ts', "import type { Pubsub } from '#server/xmpp/ports.ts'\nimport { b } from './b.ts'"],
      ['server/http/a.ts', "import { findPost } from '#server/store/post.ts'\nimport { render } from '#web/render.ts'"],
      ['server/store/a.ts', "import { sql } from 'kysely'\nawait import(path)"],
      ['shared/profiles/a.ts', "import { readEntry } from '../entry.ts'\nimport { Element } from 'ltx'"],
      ['web/views.ts', "import type { SafeHtml } from '#shared/markup.ts'"],
      ['web/scripts/a.ts', "import { readBareJid } from '#shared/jid.ts'\nimport { b } from './b.ts'"],
      ['migrations/index/0001.ts', "import { type Kysely, sql } from 'kysely'"],
      ['test/a.test.ts', "import { openSession } from '#server/xmpp/session.ts'"],
    ])
    assert.deepEqual(findViolations(allowed), [])
  })
})

describe('the reader of imports', () => {
  it('knows types from values, and sees no comment', () => {
    const source = `
      import a, { type B, c as d } from 'one'
      import type { E } from 'two'
      import { type F, type G } from 'three'
      // import { x } from 'never'
      /* import { y } from 'never' */
      export * from 'four'
      export type { H } from "five"
      import 'six'
      const address = 'http://x.example' // import('never')
      await import('seven')`
    assert.deepEqual(
      readImports(source).map(({ specifier, isTypeOnly, names }) => [specifier, isTypeOnly, names.join()]),
      [
        ['one', false, 'B,c'],
        ['two', true, 'E'],
        ['three', true, 'F,G'],
        ['four', false, ''],
        ['five', true, 'H'],
        ['six', false, ''],
        ['seven', false, ''],
      ],
    )
  })
})
