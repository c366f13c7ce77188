/**
 * The version of what is made of a payload: marks of mentions, clean names, the sanitiser, links. Raise it with every
 * change of these: entries that an older one made are made anew from what is stored (`remake.ts`).
 */
export const READER = 4
