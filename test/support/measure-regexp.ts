import { createContext, Script } from 'node:vm'
import { type Attack, listAttacks, repeatsRepeated } from './attack-regexp.ts'

/** Characters. */
const LARGE = 16_384
/** Less than that for the large text is nothing: the square of its length takes ten times as long. */
const NOTHING_MS = 2
/** For four times the text: linear growth is 4, the square 16. */
const MOST_GROWTH = 8
const RUNS = 3
/** An exponential pattern does not get through with so many in that time. */
const FEW = 40
const PATIENCE_MS = 3_000

/** The text for which a regular expression needs more than linear time, in words; undefined where none was found. */
export function findCostlyInput(pattern: RegExp): string | undefined {
  const search = new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`)
  const attacks = listAttacks(pattern)
  if (repeatsRepeated(pattern)) {
    const endless = attacks.find((attack) => !endsInTime(search, writeText(attack, FEW * attack.pump.length)))
    if (endless !== undefined) return `${describe(endless)} does not end`
  }
  // Time of other processes only ever adds: one run that is fast enough proves that it can be.
  const costly = attacks.find(
    (attack) => timeOf(search, writeText(attack, LARGE)) > NOTHING_MS && isGrowing(search, attack),
  )
  return costly && `${describe(costly)} takes more than ${MOST_GROWTH} times as long for 4 n`
}

/** Whether four times the text takes far more than four times as long, in every one of several comparisons. */
function isGrowing(search: RegExp, attack: Attack): boolean {
  const [small, large] = [writeText(attack, LARGE / 4), writeText(attack, LARGE)]
  for (let run = 0; run < RUNS; run++) {
    const less = Math.min(timeOf(search, small), timeOf(search, small), timeOf(search, small))
    const more = Math.min(timeOf(search, large), timeOf(search, large))
    if (more < NOTHING_MS || more < less * MOST_GROWTH) return false
  }
  return true
}

function timeOf(search: RegExp, text: string): number {
  const start = performance.now()
  text.replace(search, '')
  return performance.now() - start
}

const SEARCH = new Script('text.replace(search, "")')
const sandbox = createContext({})

function endsInTime(search: RegExp, text: string): boolean {
  try {
    Object.assign(sandbox, { search, text })
    SEARCH.runInContext(sandbox, { timeout: PATIENCE_MS })
    return true
  } catch (error) {
    // It is an error of the other context.
    if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false
    throw error
  }
}

function writeText({ before, pump, after }: Attack, length: number): string {
  return `${before}${pump.repeat(Math.ceil(length / pump.length))}${after}`
}

function describe({ before, pump, after }: Attack): string {
  return [before, `${JSON.stringify(pump)} × n`, after]
    .map((part, i) => (i === 1 ? part : JSON.stringify(part)))
    .join(' + ')
}
