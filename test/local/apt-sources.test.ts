import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSources, writeSource } from '#server/local/apt-sources.ts'

/** A key within the file: every line begins with a space. */
const KEY = `
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----`

describe('the machine’s package sources', () => {
  it('are read in the old format, one a line', () => {
    const text = `# a comment
deb http://mirror.example/debian bookworm main contrib # the release
deb-src http://mirror.example/debian bookworm main
 deb [arch=amd64 signed-by=/usr/share/keyrings/other.gpg] https://other.example/debian stable main
`
    assert.deepEqual(readSources('/etc/apt/sources.list', text), [
      {
        uri: 'http://mirror.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        options: new Map(),
      },
      {
        uri: 'https://other.example/debian',
        suites: ['stable'],
        components: ['main'],
        options: new Map([
          ['architectures', 'amd64'],
          ['signed-by', '/usr/share/keyrings/other.gpg'],
        ]),
      },
    ])
  })

  it('are read in the new format, with the keyring, and without what is switched off', () => {
    const text = `Types: deb deb-src
# comments may be anywhere
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://inline.example/debian
Suites: bookworm
Components: main
Signed-By:${KEY}
`
    const [first, second, ...others] = readSources('debian.sources', text)
    assert.deepEqual(first, {
      uri: 'http://mirror.example/debian',
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main'],
      options: new Map([['signed-by', '/usr/share/keyrings/debian-archive-keyring.gpg']]),
    })
    assert.deepEqual(second, {
      uri: 'http://inline.example/debian',
      suites: ['bookworm'],
      components: ['main'],
      options: new Map([['signed-by', KEY]]),
    })
    assert.deepEqual(others, [])
  })

  it('keep the keys that they name and lose what switches the check of signatures off', () => {
    const line =
      'deb [trusted=yes allow-insecure=yes signed-by=/a.gpg,/b.gpg] http://mirror.example/debian bookworm main\n'
    const paragraph = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
Trusted: yes
Allow-Insecure: yes
Allow-Weak: yes
Allow-Downgrade-To-Insecure: yes
Signed-By:${KEY}
`
    const copies = [...readSources('sources.list', line), ...readSources('a.sources', paragraph)].map(writeSource)
    assert.deepEqual(copies, [
      'types: deb\nuris: http://mirror.example/debian\nsuites: bookworm\ncomponents: main\nsigned-by: /a.gpg /b.gpg\n',
      `types: deb\nuris: http://mirror.example/debian\nsuites: bookworm\ncomponents: main\nsigned-by: ${KEY}\n`,
    ])
    const [copy] = copies.slice(1).flatMap((text) => readSources('copy.sources', text))
    assert.deepEqual(copy?.options, new Map([['signed-by', KEY]]))
  })
})
