/*
 * An instant that was written down is compared with a clock that may have been put back since. Then what is past looks as
 * if it were to come, and what is due as if it were further ahead than anything is ever planned: neither may hold work up.
 */

type Instant = Date | number

/** Whether what is planned for `at` is to be done, where nothing is ever planned more than `longest` milliseconds ahead. */
export function isDue(at: Instant, now: Instant, longest: number): boolean {
  return +at <= +now || +at > +now + longest
}

/** Whether `at` is less than so many milliseconds ago. */
export function isWithinLast(milliseconds: number, at: Instant, now: Instant): boolean {
  return +at <= +now && +now - +at < milliseconds
}
