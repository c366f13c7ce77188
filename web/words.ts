import { ar } from './languages/ar.ts'
import { de } from './languages/de.ts'
import type { Strings } from './languages/en.ts'
import { en } from './languages/en.ts'
import { fr } from './languages/fr.ts'

const LANGUAGES: Readonly<Record<string, Strings>> = { ar, de, en, fr }
/** Which dates and digits a bare language gets. */
const LOCALES: Readonly<Record<string, string>> = { en: 'en-GB', ar: 'ar-EG' }
const RIGHT_TO_LEFT = /^(?:ar|he|fa|ur|yi|ps|sd|ug|dv|ckb)\b/i

type Forms = { readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>

/** What templates say, and how: words, numbers and dates in one language. */
export interface Words {
  /** BCP 47, of the words. */
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
  readonly t: Strings
  /** Fills `{name}` in. */
  fill(text: string, values: Readonly<Record<string, string | number>>): string
  plural(forms: Forms, count: number): string
  number(count: number): string
  /** "14 March 2026", in UTC; a script rewrites it in the reader's zone. */
  date(iso: string): string
  /** "16 March" */
  day(iso: string): string
  /** "15 March, 21:04" */
  moment(iso: string): string
  /** "21:04" */
  clock(iso: string): string
  /** `rtl` or `ltr` of a text's language; undefined where it is not known. */
  dir(language: string | undefined): 'ltr' | 'rtl' | undefined
}

const made = new Map<string, Words>()

/** Words of `language` (BCP 47) if we have them, else English. */
export function createWords(language = 'en'): Words {
  const base = language.toLowerCase().split('-')[0] ?? 'en'
  const spoken = LANGUAGES[base] === undefined ? 'en' : base
  // Making formatters is most of the work of a page.
  const words = made.get(spoken) ?? makeWords(spoken)
  made.set(spoken, words)
  return words
}

function makeWords(spoken: string): Words {
  const locale = LOCALES[spoken] ?? spoken
  const rules = new Intl.PluralRules(locale)
  const numbers = new Intl.NumberFormat(locale)
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options })
    return (iso: string) => formatter.format(new Date(iso))
  }
  // A name of the other direction would draw the words around it along.
  const foreign = RIGHT_TO_LEFT.test(spoken) ? /\p{Script=Latin}/u : /[\u0590-\u08ff\ufb1d-\ufefc]/
  const isolate = (value: string) => (foreign.test(value) ? `\u2068${value}\u2069` : value)
  const fill: Words['fill'] = (text, values) =>
    text.replace(/\{(\w+)\}/g, (whole, name) => (values[name] === undefined ? whole : isolate(String(values[name]))))
  const dir: Words['dir'] = (tag) => (tag === undefined ? undefined : RIGHT_TO_LEFT.test(tag) ? 'rtl' : 'ltr')
  const day = format({ day: 'numeric', month: 'long' })
  // Without "am" and "pm", so that no zone makes it longer.
  const clock = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  return {
    language: spoken,
    direction: dir(spoken) ?? 'ltr',
    t: LANGUAGES[spoken] ?? en,
    fill,
    plural: (forms, count) => fill(forms[rules.select(count)] ?? forms.other, { count: numbers.format(count) }),
    number: (count) => numbers.format(count),
    date: format({ day: 'numeric', month: 'long', year: 'numeric' }),
    day,
    moment: (iso) => `${day(iso)}${spoken === 'ar' ? '،' : ','} ${clock(iso)}`,
    clock,
    dir,
  }
}
