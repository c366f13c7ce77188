import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'

/** The addresses of a name. */
export type LookUp = (name: string) => Promise<LookupAddress[]>

/** Looks up a name as the machine does, by its own files too: for hosts of the site's own operator. */
export const lookUpHere: LookUp = (name) => lookup(name, { all: true })

/**
 * Asks DNS, for hosts that strangers name. Unlike `lookup` it holds none of Node's few threads while a name server says
 * nothing.
 */
export const lookUpInDns: LookUp = async (name) => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  return answers.flatMap((answer, n) =>
    answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: n === 0 ? 4 : 6 })) : [],
  )
}
