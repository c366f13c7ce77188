import { readEntry } from '../entry.ts'
import { NS } from '../ns.ts'
import { BASE_CONFIG, type Profile } from './profile.ts'

/**
 * A node of pictures (XEP-0472 §6.3): every item has one at least as an enclosure. One that has none all the same is
 * read as any other post, so that nothing on the node is missing here.
 */
export const gallery: Profile = {
  name: 'gallery',
  type: NS.GALLERY,
  matchesNode: () => false,
  matchesPayload: () => false,
  config: { ...BASE_CONFIG, publish_model: 'publishers', type: NS.GALLERY },
  readEntry: (payload) => readEntry(payload, { isForeign: true }),
  template: 'gallery',
}
