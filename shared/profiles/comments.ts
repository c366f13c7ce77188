import { readEntry } from '../entry.ts'
import { NS } from '../ns.ts'
import { BASE_CONFIG, type Profile } from './profile.ts'

/** The comments on one post (XEP-0277): anybody may write. */
export const comments: Profile = {
  name: 'comments',
  matchesNode: (node) => node.startsWith(NS.COMMENTS_PREFIX),
  matchesPayload: () => false,
  config: { ...BASE_CONFIG, publish_model: 'open' },
  readEntry: (payload) => readEntry(payload, { isForeign: true }),
  template: 'comment',
}
