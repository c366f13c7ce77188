const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/
const FIRST = Date.parse('0001-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * Reads RFC 3339, and what others write for it: a space for the `T`, no seconds, no time, no zone (then UTC). The
 * result is within the years 1 to 9999, so that `toISOString` always writes RFC 3339 again.
 */
export function readDate(text: string): Date | undefined {
  const parts = DATE_TIME.exec(text.slice(0, 64).trim())
  if (parts === null) return undefined
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = '0', zone] = parts
  const isLeapSecond = second === '60'
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3)
  const base = `${year}-${month}-${day}T${hour}:${minute}:${isLeapSecond ? '59' : second}.${milliseconds}Z`
  const time = Date.parse(base)
  // Date.parse rolls 30 February over to March.
  if (Number.isNaN(time) || Number(day) > daysIn(Number(year), Number(month))) return undefined
  return new Date(Math.min(Math.max(time - offset(zone), FIRST), LAST))
}

/** RFC 3339 in UTC, milliseconds only where there are some. */
export function writeDate(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z')
}

/** A date that may be shown and sorted by: one still to come, or none, counts as first seen. */
export function clampDate(date: Date | undefined, firstSeen: Date): Date {
  return date === undefined || date > firstSeen ? firstSeen : date
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function offset(zone: string | undefined): number {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}
