import { readEntry } from '../entry.ts'
import { NS } from '../ns.ts'
import { BASE_CONFIG, type Profile } from './profile.ts'

/** A node of Atom entries for many people (XEP-0472 §6.1), and any node whose items are such. */
export const base: Profile = {
  name: 'base',
  type: NS.SOCIAL_FEED,
  matchesNode: () => false,
  matchesPayload: (payload) => payload.is('entry', NS.ATOM),
  config: { ...BASE_CONFIG, publish_model: 'publishers', type: NS.SOCIAL_FEED },
  readEntry: (payload) => readEntry(payload, { isForeign: true }),
  template: 'post',
}
