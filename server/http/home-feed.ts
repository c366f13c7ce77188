import { type NodeAddress, writeXmppUri } from '#shared/address.ts'

/** Where the feed of somebody's timeline is, or of one of the feeds that they follow: whoever knows it can read it. */
export function homeFeedPath(secret: string, feed?: NodeAddress, file = 'atom.xml'): string {
  const query = feed === undefined ? '' : `?${new URLSearchParams({ feed: writeXmppUri({ ...feed }) })}`
  return `/home/${secret}/${file}${query}`
}
