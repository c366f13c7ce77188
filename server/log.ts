import { isAppError } from './errors.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `log.warn('words')` or, as in pino, `log.warn({ jid, err }, 'words')`. */
export type LogMethod = (fields: object | string, message?: string) => void

/** What every room logs through; a pino logger fits it too. */
export type Logger = Readonly<Record<LogLevel, LogMethod>>

/** A readable line, or one JSON object a line for programs that collect logs. */
export type LogFormat = 'text' | 'json'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export interface LoggerOptions {
  readonly level?: LogLevel
  /** Asked for each line: the configuration is read after the first of them. */
  readonly format?: () => LogFormat
  readonly write?: (line: string, level: LogLevel) => void
}

/** One line an entry; as text, `info` without a prefix: what the person who ran `npm start` reads, or the journal. */
export function createLogger({ level = 'info', format = () => 'text', write = writeLine }: LoggerOptions = {}): Logger {
  const methodOf = (own: LogLevel): LogMethod => {
    if (LEVELS.indexOf(own) < LEVELS.indexOf(level)) return () => {}
    const lineOf = { text: formatLine, json: formatJson }
    return (fields, message) => write(lineOf[format()](own, fields, message), own)
  }
  return { debug: methodOf('debug'), info: methodOf('info'), warn: methodOf('warn'), error: methodOf('error') }
}

/** A logger that says nothing. */
export const silentLogger: Logger = createLogger({ level: 'error', write: () => {} })

function formatLine(level: LogLevel, fields: object | string, message = ''): string {
  const words = typeof fields === 'string' ? [fields] : [message, ...Object.entries(fields).map(formatField)]
  const line = words.filter((word) => word !== '').join(' ')
  // Remote words end up in log lines: a line break in them must not look like an entry of its own.
  return showControls((level === 'info' ? line : `${level}: ${line}`).replace(/[\n\r]+/g, ' ⏎ '))
}

/**
 * Text with its control characters (but line ends) written out, as `\\u001b`, and those that change the order or the end of
 * a line: what the network sent must not move the cursor of a terminal, colour it, or hide what it says.
 */
export function showControls(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function formatJson(level: LogLevel, fields: object | string, message?: string): string {
  const own = typeof fields === 'string' ? {} : fields
  const words = typeof fields === 'string' ? fields : message
  const line = JSON.stringify({ time: new Date().toISOString(), level, msg: words, ...own }, (_key, value) =>
    value instanceof Error ? describe(value) : value,
  )
  // JSON escapes only the first of them by itself; these are escapes of JSON too.
  return showControls(line)
}

/** What is no fault of ours needs no stack. */
function describe(error: Error): object {
  return isAppError(error)
    ? { code: error.code, message: error.message }
    : { message: error.message, stack: error.stack }
}

function formatField([key, value]: [string, unknown]): string {
  if (value === undefined) return ''
  if (value instanceof Error) return `${key}=${JSON.stringify(value.message)}`
  return `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
}

/** What is well goes to standard output, what is not to standard error. */
export function writeLine(line: string, level: LogLevel): void {
  const stream = level === 'warn' || level === 'error' ? process.stderr : process.stdout
  stream.write(`${line}\n`)
}
