import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import type { PersonName } from './post-row.ts'

export interface BlogRow {
  readonly address: NodeAddress
  readonly title?: string
  readonly description?: string
  readonly author: PersonName
  readonly language?: string
  readonly status: 'open' | 'closed' | 'deleted'
  /** Not read for the first time yet. */
  readonly isWaiting: boolean
  /** Why it cannot be read or listened to, if so. */
  readonly problem?: string
}

export async function findBlog(index: IndexDb, { service, node }: NodeAddress): Promise<BlogRow | undefined> {
  const [blog] = await selectBlogs(index).where('node.service', '=', service).where('node.node', '=', node).execute()
  return blog && readBlog(blog)
}

/** The blogs of these people, by address. */
export async function listBlogs(index: IndexDb, owners: readonly BareJid[]): Promise<BlogRow[]> {
  const rows = await selectBlogs(index)
    .where('node.owner', 'in', [...owners])
    .orderBy('node.service')
    .execute()
  return rows.map(readBlog)
}

function selectBlogs(index: IndexDb) {
  return index
    .selectFrom('node')
    .leftJoin('person', 'person.jid', 'node.owner')
    .selectAll('node')
    .select('person.name as personName')
    .where('node.kind', '=', 'blog')
}

type SelectedBlog = Awaited<ReturnType<ReturnType<typeof selectBlogs>['executeTakeFirstOrThrow']>>

function readBlog(row: SelectedBlog): BlogRow {
  const jid = row.owner ?? row.service
  return {
    address: { service: row.service, node: row.node },
    title: row.title ?? undefined,
    description: row.description ?? undefined,
    author: { jid, name: row.personName ?? localPart(jid) ?? jid },
    language: row.language ?? undefined,
    status: row.status,
    isWaiting: row.isWaiting === 1,
    problem: row.problem ?? undefined,
  }
}
