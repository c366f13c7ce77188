import type { Strings } from './en.ts'
import { en } from './en.ts'

export const ar: Strings = { ...en }
