import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isOperator, mayBlog, maySignIn, readConfig } from '#server/config.ts'
import { isAppError } from '#server/errors.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'

const jid = (text: string) => readBareJid(text) as BareJid

function mistakesOf(env: Record<string, string>): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    assert(isAppError(error, 'bad-request'))
    return error.message.split('\n').slice(1)
  }
}

describe('the configuration', () => {
  it('has a default for everything, and then runs the local server', () => {
    const config = readConfig({})
    assert.equal(config.url.href, 'http://localhost:8080/')
    assert.equal(config.isUrlSet, false)
    assert.equal(config.isLocal, true)
    assert.equal(config.xmpp, undefined)
    assert.deepEqual(config.signinDomains, ['localhost'])
    assert.deepEqual(config.bloggers, ['localhost'])
    assert.deepEqual(config.operators, ['blogger@localhost'])
    assert.deepEqual(config.local.xmppPort, 5322)
  })

  it('takes a name alone for a slip, unless it is the domain of the site', () => {
    assert.deepEqual(mistakesOf({ CANTO_BLOGGERS: 'juliet' }), [
      '  - CANTO_BLOGGERS names "juliet": write juliet@localhost',
    ])
    assert.deepEqual(mistakesOf({ CANTO_BLOGGERS: 'localhost, juliet@localhost, capulet.example' }), [])
    assert.deepEqual(mistakesOf({ CANTO_BLOGGERS: 'verona', CANTO_LOCAL_DOMAIN: 'verona' }), [])
  })

  it('follows the site account when one is named', () => {
    const config = readConfig({ CANTO_XMPP_JID: 'Canto@XMPP.example', CANTO_XMPP_PASSWORD: ' p ' })
    assert.equal(config.isLocal, false)
    assert.deepEqual(config.xmpp, { jid: 'canto@xmpp.example', password: ' p ' })
    assert.deepEqual(config.signinDomains, ['xmpp.example'])
    assert.deepEqual(config.bloggers, ['canto@xmpp.example'])
    assert.deepEqual(config.operators, ['canto@xmpp.example'])
  })

  it('lists every mistake at once, by the name of its variable', () => {
    const mistakes = mistakesOf({
      CANTO_URL: 'ftp://blog.example',
      CANTO_PORT: '70000',
      CANTO_METRICS_TOKEN: 'short',
      CANTO_DATABASE_URL: 'postgres://db',
      CANTO_XMPP_JID: 'canto@xmpp.example/phone',
      CANTO_XMPP_SERVICE: 'ws://xmpp.example',
      CANTO_BLOGGERS: 'juliet@xmpp.example, a@@b',
      CANTO_PROXY: '10.0.0.1 localhost',
      CANTO_BLOGERS: 'juliet@xmpp.example',
    })
    for (const name of [
      'URL',
      'PORT',
      'METRICS_TOKEN',
      'DATABASE_URL',
      'XMPP_JID',
      'XMPP_SERVICE',
      'BLOGGERS',
      'PROXY',
      'BLOGERS',
    ]) {
      assert.equal(mistakes.filter((line) => line.startsWith(`  - CANTO_${name} `)).length >= 1, true, name)
    }
  })

  it('wants a password with an account, an account with a password, and three different ports', () => {
    assert.match(mistakesOf({ CANTO_XMPP_JID: 'a@b.example' }).join(), /CANTO_XMPP_PASSWORD is missing/)
    assert.match(mistakesOf({ CANTO_XMPP_PASSWORD: 'x' }).join(), /CANTO_XMPP_JID is not/)
    assert.match(mistakesOf({ CANTO_PORT: '5322' }).join(), /must differ/)
  })

  it('reads .env, which the environment overrules', () => {
    const dotenv = 'CANTO_TITLE="The Globe" # a theatre\nCANTO_PORT=8081\n'
    const config = readConfig({ CANTO_PORT: '8082' }, dotenv)
    assert.equal(config.title, 'The Globe')
    assert.equal(config.port, 8082)
    assert.equal(config.url.port, '8082')
  })

  it('takes an empty variable for one that is not set', () => {
    assert.equal(readConfig({ CANTO_TITLE: '' }, 'CANTO_HOST=').title, 'Canto')
  })

  it('says who may publish, sign in and run the site', () => {
    const config = readConfig({
      CANTO_XMPP_JID: 'canto@xmpp.example',
      CANTO_XMPP_PASSWORD: 'x',
      CANTO_BLOGGERS: 'juliet@capulet.example montague.example',
      CANTO_OPERATORS: 'nurse@capulet.example',
    })
    assert.equal(mayBlog(config, jid('juliet@capulet.example')), true)
    assert.equal(mayBlog(config, jid('romeo@montague.example')), true)
    assert.equal(mayBlog(config, jid('tybalt@capulet.example')), false)
    assert.equal(maySignIn(config, jid('anybody@xmpp.example')), true)
    assert.equal(maySignIn(config, jid('juliet@capulet.example')), true)
    assert.equal(maySignIn(config, jid('tybalt@capulet.example')), false)
    assert.equal(isOperator(config, jid('nurse@capulet.example')), true)
    assert.equal(isOperator(config, jid('juliet@capulet.example')), false)
  })
})
