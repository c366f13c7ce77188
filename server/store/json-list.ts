import { sql } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'

// A list is one value, however long: SQLite takes 32,766 in one statement.

/** The condition that a column has one of these values. */
export function isOneOf(column: string, values: readonly (string | number)[]) {
  return sql<boolean>`${sql.ref(column)} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`
}

/** The condition that the columns of an address are one of these: of nodes, or with a third column of items. */
export function isAmong(
  columns: readonly [string, string] | readonly [string, string, string],
  addresses: readonly (NodeAddress & Partial<ItemAddress>)[],
) {
  const row = sql.join(columns.map((column) => sql.ref(column)))
  const parts = sql.raw(columns.map((_, n) => `value ->> ${n}`).join(', '))
  const wanted = JSON.stringify(addresses.map(({ service, node, item }) => [service, node, item]))
  return sql<boolean>`(${row}) IN (SELECT ${parts} FROM json_each(${wanted}))`
}
