const FORMATS: Record<string, Intl.DateTimeFormatOptions> = {
  date: { day: 'numeric', month: 'long', year: 'numeric' },
  day: { day: 'numeric', month: 'long' },
  clock: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
}
/** The same as the server's, so that only the zone changes. */
const LOCALES: Record<string, string> = { en: 'en-GB', ar: 'ar-EG' }

/** Rewrites dates in the reader's own zone: the same words, so nothing moves. */
export function showLocalTimes(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>('time[data-format]')) {
    const date = new Date(time.dateTime)
    if (Number.isNaN(date.getTime())) continue
    const language = time.dataset.language ?? 'en'
    time.textContent = formatTime(date, time.dataset.format ?? 'date', localeOf(language))
    time.title = date.toLocaleString(localeOf(language))
  }
}

/** The locale whose dates and digits a language of ours gets. */
export function localeOf(language: string): string {
  return LOCALES[language] ?? language
}

/** `format` as in `data-format`: date, day, clock or moment. */
export function formatTime(date: Date, format: string, locale: string): string {
  if (format === 'moment') {
    const comma = locale.startsWith('ar') ? '،' : ','
    return `${formatTime(date, 'day', locale)}${comma} ${formatTime(date, 'clock', locale)}`
  }
  return new Intl.DateTimeFormat(locale, FORMATS[format]).format(date)
}
