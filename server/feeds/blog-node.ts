import { AppError } from '#server/errors.ts'
import type { HiddenPost } from '#server/store/author.ts'
import type { Item, NodeConfig, Pubsub } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { microblog } from '#shared/profiles/index.ts'

export type BlogNode =
  | { readonly kind: 'ready'; readonly how: 'created' | 'exists'; readonly maxItems?: number }
  /** It was there before and is not open: these posts would become public. */
  | { readonly kind: 'needs-consent'; readonly posts: readonly HiddenPost[]; readonly accessModel: string }

type BlogPubsub = Pick<Pubsub, 'createNode' | 'readConfig' | 'configureNode' | 'allItems'>

// Who may read and write is its owner's to say; these only make it work.
const GUARDED: ReadonlySet<string> = new Set(['access_model', 'publish_model'])
const MOST_LISTED = 2_000
/** For the ids of all of them. */
const MOST_ID_BYTES = 2 * 1024 * 1024

/**
 * Makes the blog's node, or completes the one that is there. Never trusts that an option was taken: reads it back.
 * One that is not open becomes so only with the owner's word, and only while it has no other posts than
 * those that its owner agreed to make public.
 */
export async function ensureBlogNode(
  pubsub: BlogPubsub,
  address: NodeAddress,
  { agreed }: { agreed: readonly HiddenPost[] | undefined },
): Promise<BlogNode> {
  const how = await pubsub.createNode(address, microblog.config)
  const config = await pubsub.readConfig(address)
  const isOpen = config.access_model === 'open'
  if (!isOpen && how === 'exists') {
    const posts = await listHiddenPosts(pubsub, address)
    const known = new Set(agreed?.map(({ item }) => item))
    // One that does not say who may read it is not taken for open.
    const { access_model: accessModel = 'unknown' } = config
    if (agreed === undefined || posts.some(({ item }) => !known.has(item))) {
      return { kind: 'needs-consent', posts, accessModel }
    }
  }
  const wanted = isOpen
    ? withoutGuarded(microblog.config)
    : { ...withoutGuarded(microblog.config), access_model: 'open' }
  const real = isConfigured(config, wanted) ? config : await pubsub.configureNode(address, wanted)
  if (real.access_model !== undefined && real.access_model !== 'open') {
    throw new AppError('forbidden', `${address.service} did not let us open the blog to everybody`)
  }
  return { kind: 'ready', how, maxItems: readMaxItems(real) }
}

/** Whether a node has everything that was asked for; a field the server does not know is not asked for again. */
export function isConfigured(config: NodeConfig, wanted: NodeConfig): boolean {
  return Object.entries(wanted).every(
    ([field, value]) => config[field] === undefined || isSame(field, config[field], value),
  )
}

function isSame(field: string, real: string, wanted: string): boolean {
  if (real === wanted) return true
  // Servers write booleans either way, and some say "max" as the number it means.
  if (wanted === '1' || wanted === '0') return (real === 'true' ? '1' : real === 'false' ? '0' : real) === wanted
  return field === 'max_items' && wanted === 'max' && Number(real) >= 256
}

function withoutGuarded(config: NodeConfig): NodeConfig {
  return Object.fromEntries(Object.entries(config).filter(([field]) => !GUARDED.has(field)))
}

/** A number only: "max" says nothing about how many that is. */
function readMaxItems({ max_items }: NodeConfig): number | undefined {
  return max_items !== undefined && /^\d+$/.test(max_items) ? Number(max_items) : undefined
}

async function listHiddenPosts(pubsub: BlogPubsub, address: NodeAddress): Promise<HiddenPost[]> {
  const posts: Omit<HiddenPost, 'n'>[] = []
  let idBytes = 0
  for await (const page of pubsub.allItems(address, { max: MOST_LISTED })) {
    for (const item of page) {
      idBytes += item.id.length
      if (item.id !== METADATA_ITEM) posts.push({ item: item.id, date: dateOf(item) })
    }
    if (idBytes > MOST_ID_BYTES)
      throw new AppError('too-large', `${address.service} gives the posts of this blog ids that are too long to list`)
  }
  posts.sort((a, b) => (b.date?.getTime() ?? 0) - (a.date?.getTime() ?? 0))
  return posts.map((post, i) => ({ n: i + 1, ...post }))
}

function dateOf({ payload }: Item): Date | undefined {
  const entry = payload === undefined ? undefined : microblog.readEntry(payload)
  return entry?.published ?? entry?.updated
}
