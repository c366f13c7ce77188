import { after, before, describe, it } from 'node:test'
import { type Rig, startRig } from '../support/rig.ts'
import { loseStanzas } from './lose-stanzas.ts'

// A process trusts one certificate for a domain: so a rig of another kind is a file of its own.
describe('a stanza lost at each step of publishing, where sessions are not resumed,', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig({ link: true })
  })
  after(() => rig?.stop())

  it('costs and doubles nothing for an author on ejabberd', () => loseStanzas(rig, 'juliet'))
  it('costs and doubles nothing for an author on Prosody', () => loseStanzas(rig, 'romeo'))
})
