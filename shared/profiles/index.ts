import type { Element } from 'ltx'
import { base } from './base.ts'
import { comments } from './comments.ts'
import { gallery } from './gallery.ts'
import { microblog } from './microblog.ts'
import type { Profile } from './profile.ts'

export { readFeedMetadata, writeFeedMetadata } from '../feed-metadata.ts'
export { attachments, attachmentsOf, attachmentsPrefix, readAttachmentsNode } from './attachments.ts'
export type { NodeConfig, Profile, ProfileName } from './profile.ts'
export { room } from './room.ts'
export { base, comments, gallery, microblog }

/** Every kind of node that Canto knows: a new one is a file and its line here. */
export const PROFILES: readonly Profile[] = [microblog, comments, gallery, base]

/** The template in `web/entries/` for an entry that the profile of this name read. */
export function findTemplate(name: string): string {
  return PROFILES.find((profile) => profile.name === name)?.template ?? microblog.template
}

/** What is known of a node. */
export interface NodeSigns {
  readonly type?: string
  readonly node: string
  readonly payload?: Element
}

/** The profile of a node: by the type it announces, else by its name, else by what is in it. */
export function findProfile({ type, node, payload }: NodeSigns): Profile | undefined {
  const byType = type === undefined ? undefined : PROFILES.find((profile) => profile.type === type)
  const byName = byType ?? PROFILES.find((profile) => profile.matchesNode(node))
  return byName ?? (payload === undefined ? undefined : PROFILES.find((profile) => profile.matchesPayload(payload)))
}
