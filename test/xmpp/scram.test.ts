import assert from 'node:assert/strict'
import { createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createScram } from '#server/xmpp/scram.ts'

const first = (text: string) => Buffer.from(text)

describe('SCRAM', () => {
  it('speaks the example of RFC 5802', async () => {
    const exchange = createScram('SCRAM-SHA-1', {
      username: 'user',
      password: 'pencil',
      hash: 'sha1',
      binding: { flag: 'n' },
      nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    })
    assert.equal(String(await exchange.first()), 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL')
    const challenge = 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096'
    assert.equal(
      String(await exchange.respond(first(challenge))),
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    )
    exchange.finish(first('v=rmF9pqV8S7suAoZWja4dJRkFsKQ='))
  })

  it('speaks the example of RFC 7677', async () => {
    const exchange = createScram('SCRAM-SHA-256', {
      username: 'user',
      password: 'pencil',
      hash: 'sha256',
      binding: { flag: 'n' },
      nonce: 'rOprNGfwEbeRWgbNEkqO',
    })
    await exchange.first()
    const challenge = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
    assert.equal(
      String(await exchange.respond(first(challenge))),
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    exchange.finish(first('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))
  })

  it('believes no server that does not know the password', async () => {
    const make = async () => {
      const exchange = createScram('SCRAM-SHA-1', {
        username: 'user',
        password: 'pencil',
        hash: 'sha1',
        binding: { flag: 'n' },
        nonce: 'n',
      })
      await exchange.respond(first('r=nserver,s=QSXCR+Q6sek8bf92,i=4096'))
      return exchange
    }
    const impostor = /did not prove/
    for (const word of [undefined, '', 'v=', 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=', 'e=other-error']) {
      const exchange = await make()
      assert.throws(() => exchange.finish(word === undefined ? undefined : first(word)), impostor)
    }
    const exchange = await make()
    await assert.rejects(exchange.respond(first('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')), impostor)
    const early = createScram('SCRAM-SHA-1', { username: 'u', password: 'p', hash: 'sha1', binding: { flag: 'n' } })
    await early.first()
    assert.throws(() => early.finish(undefined), impostor)
  })

  it('takes no challenge with a foreign nonce, no salt, or work for minutes', async () => {
    for (const challenge of [
      'r=other,s=QQ==,i=4096',
      'r=n,s=QQ==,i=4096',
      'r=nx,s=,i=4096',
      'r=nx,s=QQ==,i=0',
      'r=nx,s=QQ==,i=99999999',
      'm=x,r=nx,s=QQ==,i=4096',
      '',
    ]) {
      const options = { username: 'u', password: 'p', hash: 'sha1', binding: { flag: 'n' }, nonce: 'n' } as const
      await assert.rejects(createScram('SCRAM-SHA-1', options).respond(first(challenge)), /makes no sense/, challenge)
    }
  })

  it('binds the channel into what it proves, and prepares names and passwords', async () => {
    const data = Buffer.from('bytes of the channel')
    const exchange = createScram('SCRAM-SHA-256-PLUS', {
      username: 'a=b,c\u00aa',
      password: 'pass\u00a0word\u00ad',
      hash: 'sha256',
      binding: { flag: 'p', type: 'tls-exporter', data },
      nonce: 'n',
    })
    assert.equal(String(await exchange.first()), 'p=tls-exporter,,n=a=3Db=2Cca,r=n')
    const challenge = 'r=nserver,s=QSXCR+Q6sek8bf92,i=4096'
    const response = String(await exchange.respond(first(challenge)))
    const bound = Buffer.from(/c=([^,]*)/.exec(response)?.[1] ?? '', 'base64').toString()
    assert.equal(bound, `p=tls-exporter,,${data}`)
    const salted = pbkdf2Sync('pass word', Buffer.from('QSXCR+Q6sek8bf92', 'base64'), 4096, 32, 'sha256')
    const sign = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
    const message = `n=a=3Db=2Cca,r=n,${challenge},${response.replace(/,p=.*/, '')}`
    exchange.finish(first(`v=${sign(sign(salted, 'Server Key'), message).toString('base64')}`))
  })

  it('leaves the thread free while it hashes', async () => {
    const options = { username: 'u', password: 'p', hash: 'sha512', binding: { flag: 'n' }, nonce: 'n' } as const
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await createScram('SCRAM-SHA-512', options).respond(first('r=nx,s=QQ==,i=200000'))
    clearInterval(timer)
    assert.ok(ticks > 5, `${ticks} ticks`)
  })
})
