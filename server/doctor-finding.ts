/** One thing that the doctor looked at. */
export interface Finding {
  /** `note` is neither good nor bad. */
  readonly level: 'fine' | 'note' | 'warning' | 'problem'
  readonly subject: string
  /** What is so. */
  readonly words: string
  /** What to do about it. */
  readonly mend?: string
}

export const fine = (subject: string, words: string): Finding => ({ level: 'fine', subject, words })

export const note = (subject: string, words: string): Finding => ({ level: 'note', subject, words })

export const warning = (subject: string, words: string, mend: string): Finding => ({
  level: 'warning',
  subject,
  words,
  mend,
})

export const problem = (subject: string, words: string, mend: string): Finding => ({
  level: 'problem',
  subject,
  words,
  mend,
})

const MARKS = { fine: '✓', note: '·', warning: '!', problem: '✗' } as const

export function printFinding({ level, subject, words, mend }: Finding): string {
  const lines = [`${MARKS[level]} ${subject.padEnd(14)} ${words}`]
  if (mend !== undefined) lines.push(...mend.split('\n').map((line) => `${' '.repeat(17)}${line}`))
  return lines.join('\n')
}
