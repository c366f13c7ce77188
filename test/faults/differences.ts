import { type CompareDeps, compareAll, isFault } from '#server/feeds/compare.ts'
import { addressKey } from '#shared/address.ts'

/** What `doctor --deep` would complain about, in words. */
export async function listDifferences(deps: CompareDeps): Promise<string[]> {
  const found: string[] = []
  for await (const difference of compareAll(deps)) {
    const { kind, address, words } = difference
    if (isFault(difference)) found.push(`${kind}: ${addressKey(address)}: ${words}`)
  }
  return found
}
