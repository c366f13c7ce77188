import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asciiDomain, domainOf, isSameOrSubdomain, localPart, readBareJid, readJid } from '#shared/jid.ts'

function bare(text: string) {
  const jid = readBareJid(text)
  assert.ok(jid !== undefined, `${text} is a JID`)
  return jid
}

describe('a JID', () => {
  it('is read in its parts', () => {
    assert.deepEqual(readJid('juliet@capulet.example/balcony/left@right'), {
      bare: 'juliet@capulet.example',
      local: 'juliet',
      domain: 'capulet.example',
      resource: 'balcony/left@right',
    })
    assert.deepEqual(readJid('a.example.com/b@example.net'), {
      bare: 'a.example.com',
      local: undefined,
      domain: 'a.example.com',
      resource: 'b@example.net',
    })
  })

  const normalised: readonly [text: string, jid: string][] = [
    ['Juliet@Capulet.Example', 'juliet@capulet.example'],
    ['juliet@capulet.example.', 'juliet@capulet.example'],
    ['foo\\20bar@example.com', 'foo\\20bar@example.com'],
    ['fussball@example.com', 'fussball@example.com'],
    ['fußball@example.com', 'fußball@example.com'],
    ['Σ@example.com/foo', 'σ@example.com'],
    ['ΑΣ@example.com', 'ας@example.com'],
    ['ς@example.com', 'ς@example.com'],
    ['ｊｕｌｉｅｔ@example.com', 'juliet@example.com'],
    ['ﾊ@example.com', 'ハ@example.com'],
    ['JOSE\u0301@example.com', 'josé@example.com'],
    ['İpek@example.com', 'i\u0307pek@example.com'],
    ['روميو@example.com', 'روميو@example.com'],
    ['ジュリエット@example.com', 'ジュリエット@example.com'],
    ['king@example.com/♚', 'king@example.com'],
    ['juliet@bücher.example', 'juliet@bücher.example'],
    ['juliet@BÜCHER.example', 'juliet@bücher.example'],
    ['juliet@xn--bcher-kva.example', 'juliet@bücher.example'],
    ['juliet@例え。テスト', 'juliet@例え.テスト'],
    ['juliet@127.0.0.1', 'juliet@127.0.0.1'],
    ['juliet@[::1]', 'juliet@[::1]'],
    ['juliet@[2001:DB8:0:0::1]', 'juliet@[2001:db8::1]'],
    ['pubsub.capulet.example', 'pubsub.capulet.example'],
    ['localhost', 'localhost'],
    ['!#$%()*+,-.;=?[]^_`{|}~@example.com', '!#$%()*+,-.;=?[]^_`{|}~@example.com'],
  ]
  for (const [text, jid] of normalised) {
    it(`${text} is ${jid}, and stays it`, () => {
      assert.equal(readBareJid(text), jid)
      assert.equal(readBareJid(jid), jid)
    })
  }

  const wrong = [
    ...['', '@', '@example.com', 'juliet@', '/foo', 'juliet@example.com/', 'a@b@c.example', '"juliet"@example.com'],
    ...['foo bar@example.com', "o'hara@example.com", 'a&b@example.com', 'a<b>@example.com', 'a:b@example.com'],
    ...['henryⅣ@example.com', '♚@example.com', '😀@example.com', 'ﬁ@example.com', 'a\u200bb@example.com'],
    ...[
      'a\u00adb@example.com',
      'a\u0000b@example.com',
      'a\u3000b@example.com',
      '\u1100@example.com',
      'a\u202eb@example.com',
    ],
    ...['a·b@example.com', '٣۳@example.com', '・@example.com', 'a\u200db@example.com'],
    ...['juliet@exa mple.com', 'juliet@example..com', 'juliet@-a.example', 'juliet@a_b.example', 'juliet@ex<ample'],
    ...['juliet@[::1', 'juliet@[zz]', 'juliet@[::1]:5222', 'juliet@xn--a.example', `juliet@${'a'.repeat(64)}.example`],
    ...[`${'a'.repeat(1024)}@example.com`, `${'é'.repeat(512)}@example.com`, `juliet@example.com/${'a'.repeat(1024)}`],
    ...['a'.repeat(10_000_000), `${'a.'.repeat(200)}example`, 'juliet@example.com/a\u0007'],
  ]
  for (const text of wrong) {
    it(`is not ${JSON.stringify(text.slice(0, 40))}`, () => assert.equal(readBareJid(text), undefined))
  }

  it('may have a local part of 1,023 bytes', () => {
    assert.equal(bare(`${'a'.repeat(1023)}@example.com`).length, 1035)
    assert.equal(bare(`${'é'.repeat(511)}@example.com`).length, 523)
  })

  it('has a local part and a domain', () => {
    assert.equal(localPart(bare('juliet@capulet.example')), 'juliet')
    assert.equal(localPart(bare('capulet.example')), undefined)
    assert.equal(domainOf(bare('juliet@capulet.example')), 'capulet.example')
    assert.equal(domainOf(bare('capulet.example')), 'capulet.example')
  })

  it('has a domain in A-labels for DNS', () => {
    assert.equal(asciiDomain(bare('juliet@bücher.example')), 'xn--bcher-kva.example')
    assert.equal(asciiDomain(bare('capulet.example')), 'capulet.example')
    assert.equal(asciiDomain(bare('[::1]')), '[::1]')
  })
})

describe('a subdomain', () => {
  it('is told label by label', () => {
    assert.ok(isSameOrSubdomain('capulet.example', 'capulet.example'))
    assert.ok(isSameOrSubdomain('pubsub.capulet.example', 'capulet.example'))
    assert.ok(!isSameOrSubdomain('evilcapulet.example', 'capulet.example'))
    assert.ok(!isSameOrSubdomain('capulet.example', 'pubsub.capulet.example'))
    assert.ok(!isSameOrSubdomain('127.0.0.1', '0.0.1'))
  })
})
