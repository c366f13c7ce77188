import type { IndexDb } from '#server/store/database.ts'
import { listNamesakes, listThreadNamesakes } from '#server/store/known-name.ts'
import type { PersonName } from '#server/store/post-row.ts'
import type { NodeAddress } from '#shared/address.ts'
import { isPretending, lookOf, sayAddress } from '#shared/look-alike.ts'

/** A name that is shown, and what tells whose it is: an address, or what there is in its place. */
export interface Named {
  readonly who: string
  readonly name: string
}

/** Which of the names that are shown together do not tell who is meant. */
export interface Names {
  isAmbiguous(named: Named): boolean
  /** The address that stands beside the name, where it has to. */
  beside(person: PersonName): string | undefined
  /** The name for running text, with that address behind it. */
  say(person: PersonName): string
}

export interface NamesOptions {
  /** The owner of the page: their own name needs no address, those of others that look like it do. */
  readonly owner?: string | undefined
  /** The comments node of which a part is shown. */
  readonly thread?: NodeAddress | undefined
}

/**
 * A name does not tell who is meant where it looks like that of somebody else who is shown with it, or of somebody else
 * who is known here or of the site; and where it says itself what only an address can.
 */
export async function readNames(
  index: IndexDb,
  shown: readonly Named[],
  { owner, thread }: NamesOptions = {},
): Promise<Names> {
  const bearers = new Map<string, Set<string>>()
  const add = (look: string, who: string) => bearers.set(look, (bearers.get(look) ?? new Set()).add(who))
  for (const { name, who } of shown) add(lookOf(name), who)
  const looks = [...bearers.keys()]
  for (const { look, jid } of await listNamesakes(index, looks)) add(look, jid)
  if (thread !== undefined) for (const { look, jid } of await listThreadNamesakes(index, thread, looks)) add(look, jid)

  function isAmbiguous({ name, who }: Named): boolean {
    if (name === who) return false
    if (isPretending(name)) return true
    // The site's own name is that of its domain: accounts of the domain are the operator's to name.
    const isOther = (other: string) => other !== who && !who.endsWith(`@${other}`)
    return who !== owner && [...(bearers.get(lookOf(name)) ?? [])].some(isOther)
  }
  const beside = ({ jid, name }: PersonName) => (isAmbiguous({ who: jid, name }) ? sayAddress(jid) : undefined)
  return { isAmbiguous, beside, say: (person) => withAddress(person.name, beside(person)) }
}

/** The same for people with addresses; those that are not known are left out. */
export function readPeopleNames(
  index: IndexDb,
  people: readonly (PersonName | undefined)[],
  options?: NamesOptions,
): Promise<Names> {
  const known = people.filter((person) => person !== undefined)
  return readNames(
    index,
    known.map(({ jid, name }) => ({ who: jid, name })),
    options,
  )
}

export function withAddress(name: string, address: string | undefined): string {
  return address === undefined ? name : `${name} (${address})`
}
