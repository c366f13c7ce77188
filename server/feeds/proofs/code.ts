import { randomInt } from 'node:crypto'

/** No vowels, so that no word is a code; nothing that looks like something else. */
const LETTERS = '23456789BCDFGHJKMNPQRSTVWXZ'
const LENGTH = 8

/** Unguessable while it holds (27⁸), and easy to type. */
export function createCode(): string {
  return Array.from({ length: LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('')
}

/** As people read it: `K7MD-3QXA`. */
export function sayCode(code: string): string {
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`
}

/** The code that is all of a text. */
export function readCode(text: string): string | undefined {
  if (text.length > 100) return undefined
  const code = text.trim().toUpperCase().replace(/[\s-]/g, '')
  return code.length === LENGTH && [...code].every((letter) => LETTERS.includes(letter)) ? code : undefined
}

/** The first code among the words of a message, as "My code: k7md-3qxh, thanks". */
export function findCode(text: string): string | undefined {
  if (text.length > 100) return undefined
  const words = text.matchAll(/(?<![\p{L}\p{N}])[a-z0-9]{4}[- ]?[a-z0-9]{4}(?![\p{L}\p{N}])/giu)
  return readCode(text) ?? [...words].map(([word]) => readCode(word)).find((code) => code !== undefined)
}
