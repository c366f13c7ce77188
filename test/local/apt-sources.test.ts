import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSources } from '#server/local/apt-sources.ts'

describe('the machine’s package sources', () => {
  it('are read in the old format, one a line', () => {
    const text = `# a comment
deb http://mirror.example/debian bookworm main contrib # the release
deb-src http://mirror.example/debian bookworm main
 deb [arch=amd64 signed-by=/usr/share/keyrings/other.gpg] https://other.example/debian stable main
`
    assert.deepEqual(readSources('/etc/apt/sources.list', text), [
      { uri: 'http://mirror.example/debian', suites: ['bookworm'], components: ['main', 'contrib'], options: '' },
      {
        uri: 'https://other.example/debian',
        suites: ['stable'],
        components: ['main'],
        options: '[arch=amd64 signed-by=/usr/share/keyrings/other.gpg]',
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
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----
`
    const [first, second, ...others] = readSources('debian.sources', text)
    assert.deepEqual(first, {
      uri: 'http://mirror.example/debian',
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main'],
      options: '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]',
    })
    assert.deepEqual(second, {
      uri: 'http://inline.example/debian',
      suites: ['bookworm'],
      components: ['main'],
      options: '',
    })
    assert.deepEqual(others, [])
  })
})
