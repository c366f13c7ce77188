import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import { NS } from '#shared/ns.ts'
import { findProfile, PROFILES } from '#shared/profiles/index.ts'
import { parse, readFixture } from './fixture.ts'

describe('the profile of a node', () => {
  const payload = readFixture('movim-post')

  it('is chosen by its announced type, then its name, then its payload', () => {
    assert.equal(findProfile({ type: NS.MICROBLOG, node: 'anything' })?.name, 'microblog')
    assert.equal(findProfile({ type: NS.MICROBLOG, node: `${NS.COMMENTS_PREFIX}x` })?.name, 'microblog')
    assert.equal(findProfile({ node: NS.MICROBLOG })?.name, 'microblog')
    assert.equal(findProfile({ node: `${NS.COMMENTS_PREFIX}x`, payload })?.name, 'comments')
    assert.equal(findProfile({ type: 'urn:unknown', node: NS.MICROBLOG })?.name, 'microblog')
    assert.equal(findProfile({ node: 'a-community', payload })?.name, 'base')
    assert.equal(findProfile({ node: 'a-community' }), undefined)
    assert.equal(findProfile({ node: 'a-community', payload: parse('<x xmlns="urn:x"/>') }), undefined)
  })

  it('has a name of its own, and a template that is there', () => {
    assert.equal(new Set(PROFILES.map(({ name }) => name)).size, PROFILES.length)
    for (const { template } of PROFILES) assert.ok(existsSync(`web/entries/${template}.eta`), template)
  })

  for (const profile of PROFILES) {
    it(`asks for the configuration of the design: ${profile.name}`, () => {
      assert.deepEqual(profile.config, {
        persist_items: '1',
        max_items: 'max',
        access_model: 'open',
        publish_model: profile.name === 'comments' ? 'open' : 'publishers',
        presence_based_delivery: '0',
        send_last_published_item: 'never',
        itemreply: 'publisher',
        notify_retract: '1',
        notify_delete: '1',
        deliver_payloads: '1',
        ...(profile.type === undefined ? {} : { type: profile.type }),
      })
    })
  }

  it('marks the links of comments as not the words of the site', () => {
    const html = (node: string) => findProfile({ node })?.readEntry(readFixture('movim-comment'))?.html ?? ''
    assert.match(html(`${NS.COMMENTS_PREFIX}x`), /rel="nofollow noopener ugc"/)
    assert.doesNotMatch(html(NS.MICROBLOG), /rel=/)
  })
})
