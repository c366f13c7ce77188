const CODES =
  'af ar az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu he hi hr hu hy id is it ja ka kk km kn ko ku ky lb lt lv mk ml mn mr ms mt my nb ne nl nn oc pa pl ps pt pt-BR ro ru si sk sl sq sr sv sw ta te th tl tr tt uk ur uz vi yi zh-Hans zh-Hant'

export interface Language {
  readonly code: string
  readonly name: string
}

/** Languages to choose from, each by its own name. */
export const LANGUAGES: readonly Language[] = CODES.split(' ')
  .map((code) => ({ code, name: nameOf(code) }))
  .sort((a, b) => a.name.localeCompare(b.name, 'en'))

/** The list, with a language that somebody's client wrote and the list has not. */
export function languagesWith(code: string): readonly Language[] {
  if (code === '' || LANGUAGES.some((known) => known.code === code)) return LANGUAGES
  return [...LANGUAGES, { code, name: nameOf(code) }]
}

function nameOf(code: string): string {
  try {
    const name = new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code
    return name.charAt(0).toLocaleUpperCase(code) + name.slice(1)
  } catch {
    return code
  }
}
