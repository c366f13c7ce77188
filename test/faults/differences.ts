import type { Element } from 'ltx'
import { findEntry } from '#server/store/entry.ts'
import { addressKey } from '#shared/address.ts'
import { parseXml } from '#shared/xml.ts'
import type { RealContext } from '../support/real-context.ts'

// TODO: until server/feeds/compare.ts is there.
export async function listDifferences({ index, site }: RealContext): Promise<string[]> {
  const found: string[] = []
  const nodes = await index.selectFrom('node').selectAll().where('status', '=', 'open').execute()
  for (const node of nodes) {
    const seen = new Set<string>()
    const name = addressKey({ service: node.service, node: node.node })
    try {
      for await (const page of site.pubsub.allItems(node)) {
        for (const { id, payload } of page) {
          seen.add(id)
          const entry = await findEntry(index, node.id, id)
          if (id === '0' && node.metadataPayload !== null) continue
          if (entry === undefined) found.push(`${name} ${id} is missing here`)
          else if (payload && canonical(parseXml(entry.payload)) !== canonical(payload) && entry.overwrites === 0) {
            found.push(`${name} ${id} differs: ${entry.payload} here, there ${payload}`)
          }
        }
      }
    } catch (error) {
      found.push(`${name}: ${error}`)
    }
    for (const { item } of await index.selectFrom('entry').select('item').where('nodeId', '=', node.id).execute()) {
      if (!seen.has(item)) found.push(`${name} ${item} is not there`)
    }
  }
  return found
}

/** Prosody writes attributes in another order every time. */
function canonical(element: Element | string | undefined): string {
  if (element === undefined || typeof element === 'string') return String(element)
  const attributes = Object.entries(element.attrs).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    element.name,
    attributes,
    element.children.map((child) => canonical(child as Element | string)),
  ])
}
