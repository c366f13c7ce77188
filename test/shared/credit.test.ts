import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Claim, creditAuthor } from '#shared/credit.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'

const jid = (text: string) => readBareJid(text) as BareJid
const juliet = jid('juliet@capulet.example')
const romeo = jid('romeo@montague.example')
function credit(service: string, claim: Partial<Claim> = {}, node: string = NS.MICROBLOG) {
  return creditAuthor({ address: { service: jid(service), node }, isServiceBelieved: false, ...claim })
}

describe('an item with a publisher', () => {
  it('is theirs by the word of a service that is believed, and according to any other', () => {
    for (const entryAuthor of [juliet, undefined]) {
      const claim = { publisher: 'Juliet@capulet.example/balcony', entryAuthor }
      assert.deepEqual(credit('pubsub.capulet.example', { ...claim, isServiceBelieved: true }), {
        kind: 'credited',
        author: juliet,
      })
      assert.deepEqual(credit('evil.example', claim), {
        kind: 'according',
        author: juliet,
        service: 'evil.example',
      })
    }
  })

  it('is unverified where it says that another wrote it', () => {
    for (const service of ['romeo@montague.example', 'pubsub.montague.example', 'evil.example']) {
      assert.deepEqual(credit(service, { publisher: romeo, entryAuthor: juliet }), {
        kind: 'unverified',
        claimed: juliet,
      })
    }
  })

  it('is unverified where the publisher is no address', () => {
    assert.deepEqual(credit('juliet@capulet.example', { publisher: 'not an address', entryAuthor: juliet }), {
      kind: 'unverified',
      claimed: juliet,
    })
  })
})

describe('an item without a publisher', () => {
  it("is the account's on its own node, whatever it says", () => {
    for (const entryAuthor of [juliet, romeo, undefined]) {
      assert.deepEqual(credit('juliet@capulet.example', { entryAuthor }), { kind: 'credited', author: juliet })
    }
    assert.deepEqual(credit('juliet@capulet.example', { publisher: '' }), { kind: 'credited', author: juliet })
  })

  it('is unverified among the comments or attachments of an account, and on a service', () => {
    for (const node of [`${NS.COMMENTS_PREFIX}x`, `${NS.ATTACHMENTS_PREFIX}xmpp:a@b`]) {
      assert.deepEqual(credit('juliet@capulet.example', { entryAuthor: juliet }, node), {
        kind: 'unverified',
        claimed: juliet,
      })
    }
    assert.deepEqual(credit('capulet.example'), { kind: 'unverified', claimed: undefined })
  })
})
