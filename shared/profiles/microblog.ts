import { readEntry } from '../entry.ts'
import { NS } from '../ns.ts'
import { BASE_CONFIG, type Profile } from './profile.ts'

/** An account's blog: XEP-0277 entries, the microblog profile of XEP-0472 §6.2. */
export const microblog: Profile = {
  name: 'microblog',
  type: NS.MICROBLOG,
  matchesNode: (node) => node === NS.MICROBLOG,
  matchesPayload: () => false,
  config: { ...BASE_CONFIG, publish_model: 'publishers', type: NS.MICROBLOG },
  readEntry: (payload) => readEntry(payload),
  template: 'post',
}
