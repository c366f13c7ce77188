/** Bounds of one stanza, so that no server can make us hold more (RFC 6120 §13.12). */
export interface StanzaBounds {
  /** UTF-16 units of its XML. */
  readonly characters: number
  /** Elements that a stanza of so many characters may have; two attributes count as one. */
  readonly elements: (characters: number) => number
  /** Elements inside one another, the stanza being the first. */
  readonly depth: number
  /** Attributes of one element. */
  readonly attributes: number
  /** Milliseconds from its first character to its last. */
  readonly patience: number
  /** Whether any stanza over `characters` is skipped instead of ending the stream. */
  readonly skipsAny: boolean
  /** Whether the stanza counts towards the memory that all servers but the site's own may hold together. */
  readonly isShared: boolean
}

/** Characters of one tag, or the stream ends: no server takes an item as large. */
export const MOST_OF_TAG = 1024 * 1024

/** Until a resource is bound, whoever the server belongs to: signing in takes far less. */
export const SIGNING_IN: StanzaBounds = {
  characters: 256 * 1024,
  elements: () => 20_000,
  depth: 100,
  attributes: 64,
  patience: 30_000,
  skipsAny: false,
  isShared: true,
}

/** For a server that anybody may have set up to sign in from. */
export const STRANGER: StanzaBounds = {
  characters: 8 * 1024 * 1024,
  elements: () => 20_000,
  depth: 100,
  attributes: 64,
  patience: 60_000,
  skipsAny: false,
  isShared: true,
}

/**
 * For the site's own server, which may answer with a whole node at once. As many elements as fit into the 512 KiB that
 * servers send each other, so that no single item is out of reach, and beyond that as many as posts have.
 */
export const OWN: StanzaBounds = {
  characters: 64 * 1024 * 1024,
  elements: (characters) => 131_072 + characters / 64,
  depth: 100_000,
  attributes: 1_000,
  patience: 5 * 60_000,
  skipsAny: true,
  isShared: false,
}

/** About how many bytes of memory an element without attributes takes once it is parsed. */
const ELEMENT_BYTES = 300

/** About how many bytes of memory a stanza of so many characters and elements takes. */
export function estimateBytes(characters: number, elements: number): number {
  return 2 * characters + ELEMENT_BYTES * elements
}
