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
  return (level === 'info' ? line : `${level}: ${line}`).replace(/[\n\r]+/g, ' ⏎ ')
}

function formatJson(level: LogLevel, fields: object | string, message?: string): string {
  const own = typeof fields === 'string' ? {} : fields
  const words = typeof fields === 'string' ? fields : message
  return JSON.stringify({ time: new Date().toISOString(), level, msg: words, ...own }, (_key, value) =>
    value instanceof Error ? describe(value) : value,
  )
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
