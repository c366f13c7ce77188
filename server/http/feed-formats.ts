import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Feed } from '#shared/atom.ts'
import { writeFeed, writeJsonFeed } from '#shared/atom.ts'
import { addVary, sendBody } from './encoding.ts'

/** One way to write a feed: the last word of its address, and its media type. */
export interface FeedFormat {
  readonly file: string
  readonly type: string
  /** For browsers, which would save the other one. */
  readonly typeForPeople?: string
  readonly write: (feed: Feed, now: Date) => string
}

export const FEED_FORMATS: readonly FeedFormat[] = [
  { file: 'atom.xml', type: 'application/atom+xml', typeForPeople: 'application/xml', write: writeFeed },
  { file: 'feed.json', type: 'application/feed+json', write: writeJsonFeed },
]

export interface FeedParts {
  readonly format: FeedFormat
  readonly feed: Feed
  readonly now: Date
  readonly stylesheet: string
  /** Of one person only: nobody else may keep a copy. */
  readonly isPrivate?: boolean
}

export async function sendFeed(
  request: FastifyRequest,
  reply: FastifyReply,
  { format, feed, now, stylesheet, isPrivate }: FeedParts,
): Promise<FastifyReply> {
  const { type, typeForPeople } = format
  if (typeForPeople !== undefined) addVary(reply, 'Accept')
  const isForPerson = String(request.headers.accept ?? '').includes('text/html')
  reply.header('cache-control', `${isPrivate ? 'private' : 'public'}, max-age=60`)
  return sendBody(request, reply, {
    type: `${isForPerson ? (typeForPeople ?? type) : type}; charset=utf-8`,
    bytes: format.write({ ...feed, stylesheet }, now),
    ...(feed.entries.length > 0 ? { lastModified: feed.updated } : {}),
  })
}
