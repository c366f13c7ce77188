import { after, before, describe, it } from 'node:test'
import { type Rig, useRig } from '#test/support/rig.ts'
import { CELLS } from './cells.ts'
import { PLACES, type Place, ROWS, type Row, type ServerName } from './places.ts'
import { openScene, type Scene } from './scene.ts'

/** Of the site on the other server; on the own one it is enough to see that it is the same. */
const ITEMS = { afar: 2_000, near: 200 }

/** Does every row at every kind of place of a server, for a site on either server, and prints the table. */
export function showMatrix(server: ServerName): void {
  const other: ServerName = server === 'ejabberd' ? 'prosody' : 'ejabberd'
  const table = new Map<string, Map<Row, string>>()
  let rig: Rig
  before(async () => {
    // Thousands of items at once make node changes of other tests fail in ejabberd's database.
    rig = await useRig({ own: true })
  })
  after(async () => {
    await rig?.stop()
    console.log(writeTable(table))
  })

  for (const place of PLACES[server]) {
    for (const home of [other, server]) {
      const items = home === server ? ITEMS.near : ITEMS.afar
      describe(`a node of ${items} items at a ${place.name}, for a site on ${home}`, () => {
        const column = new Map<Row, string>()
        table.set(`${place.name}, site on ${home}`, column)
        let scene: Scene
        before(async () => {
          scene = await openScene(rig, { place, home, items })
        })
        after(() => scene?.[Symbol.asyncDispose]())
        for (const row of ROWS) {
          const limit = limitOf(place, row, items)
          it(limit === undefined ? row : `${row}: ${limit}`, async () => {
            column.set(row, 'FAILED')
            const begun = performance.now()
            await CELLS[row]({ scene, items, limit })
            column.set(row, `${limit ?? 'yes'} (${Math.round(performance.now() - begun)} ms)`)
          })
        }
      })
    }
  }
}

function limitOf(place: Place, row: Row, items: number): string | undefined {
  return (items === ITEMS.afar ? place.largeLimits?.[row] : undefined) ?? place.limits[row]
}

function writeTable(table: ReadonlyMap<string, ReadonlyMap<Row, string>>): string {
  const lines = [...table].flatMap(([name, column]) => [
    `# ${name}`,
    ...ROWS.map((row) => `#   ${row.padEnd(26)} ${column.get(row) ?? 'not reached'}`),
  ])
  return lines.join('\n')
}
