import { ReadingError } from './errors.ts'

/** Bytes that may wait for the server to read them: it may ask for more and more and read none of it. */
const MOST_UNREAD = 8 * 1024 * 1024
/** About how many bytes of memory waiting costs besides the text. */
const WRITE_BYTES = 500

export interface StreamWriter {
  write(text: string): Promise<void>
  /** About how many bytes of memory is taken by what the server has not read yet. */
  readonly unreadBytes: number
}

export function createWriter(write: (text: string) => Promise<void>, fail: (error: unknown) => void): StreamWriter {
  let unreadBytes = 0
  return {
    async write(text) {
      const bytes = text.length + WRITE_BYTES
      unreadBytes += bytes
      if (unreadBytes > MOST_UNREAD) fail(new ReadingError('does not read what it is sent'))
      try {
        await write(text)
      } finally {
        unreadBytes -= bytes
      }
    },
    get unreadBytes() {
      return unreadBytes
    },
  }
}
